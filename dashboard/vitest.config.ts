import { defineConfig } from "vitest/config";

// A browser and the server that it talks to take their time; they change together, so one test runs after another.
// On a machine that is busy with something else one of them may miss a deadline; who misses it twice is broken.
export default defineConfig({
  test: {
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"] } },
      { test: { name: "browser", include: ["test/browser/**/*.test.ts"], testTimeout: 120_000, hookTimeout: 120_000, fileParallelism: false, retry: 1 } },
      { test: { name: "screenshots", include: ["test/browser/screenshots.ts"], testTimeout: 120_000, hookTimeout: 180_000 } },
    ],
  },
});
