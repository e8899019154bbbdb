import { defineConfig } from "vitest/config";

// The server that the tests talk to takes seconds to start and to publish.
export default defineConfig({ test: { testTimeout: 60_000, hookTimeout: 120_000, silent: "passed-only" } });
