import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const API = process.env.SUPPORTAPI_URL ?? "http://127.0.0.1:8000";

export default defineConfig({
  plugins: [react()],
  build: {
    // The API serves these files: they are committed, and shipped in the wheel.
    outDir: "../src/supportapi/api/static/dashboard",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2022",
    license: { fileName: "assets/licenses.md" },
  },
  server: { proxy: { "/api": API, "/docs": API, "/openapi.json": API } },
});
