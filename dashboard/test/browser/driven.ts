import { answered, createClient, type SupportApi } from "@supportapi/client";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { expect, test } from "vitest";

import { type Server, startServer } from "../../../clients/typescript/test/server.ts";
import { launch, settled, signIn } from "./browser.ts";

interface Driven {
  /** One for all tests of a file, as are the next two. */
  server: Server;
  browser: Browser;
  api: SupportApi;
  /** A browser that nobody has used before. */
  context: BrowserContext;
  /** Of which the test fails if a script on it does. */
  page: Page;
  /** Signs in and goes there; ends when what was asked for is shown. */
  open: (path: string, username?: string) => Promise<void>;
}

const PATIENCE_MILLISECONDS = 60_000;

/** Tests that are given a system of their own, and a page of it. */
export function driving({ who, ...settings }: { who: "viewer" | "admin"; calls: number; environ?: NodeJS.ProcessEnv }) {
  return test.extend<Driven>({
    server: [
      async ({}, use) => {
        const server = await startServer(settings);
        await use(server);
        await server.stop();
      },
      { scope: "file" },
    ],
    browser: [
      async ({}, use) => {
        const browser = await launch();
        await use(browser);
        await browser.close();
      },
      { scope: "file" },
    ],
    api: [
      async ({ server }, use) => {
        const anonymous = createClient({ baseUrl: server.baseUrl });
        const { data } = await answered(anonymous.POST("/api/auth/sign-in", { body: { username: who, password: "dev" } }));
        await use(createClient({ baseUrl: server.baseUrl, token: data.access_token }));
      },
      { scope: "file" },
    ],
    context: async ({ browser, server }, use) => {
      const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, baseURL: server.baseUrl });
      context.setDefaultTimeout(PATIENCE_MILLISECONDS);
      await use(context);
      await context.close();
    },
    page: async ({ context }, use) => {
      const faults: string[] = [];
      const page = await context.newPage();
      page.on("pageerror", (error) => faults.push(error.message));
      await use(page);
      expect(faults).toEqual([]);
    },
    open: async ({ context, page, server }, use) => {
      await use(async (path, username = who) => {
        await signIn(context, server, username);
        await page.goto(path);
        await settled(page);
      });
    },
  });
}
