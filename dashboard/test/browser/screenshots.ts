import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, test } from "vitest";

import { type Server, startServer } from "../../../clients/typescript/test/server.ts";
import { launch, PAGES, RAW, settled, signIn, THEMES } from "./browser.ts";

const IMAGES = fileURLToPath(new URL("../../../docs/images/", import.meta.url));

let server: Server;
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
  server = await startServer({ calls: 200_000, environ: { MANIFEST_PATH: "data/manifest.json" } });
  await mkdir(IMAGES, { recursive: true });
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

test.each(Object.entries(PAGES).flatMap(([name, path]) => THEMES.map((theme) => ({ name, path, theme }))))("$name in the $theme theme", async ({ name, path, theme }) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: theme, baseURL: server.baseUrl });
  await signIn(context, server);
  const page = await context.newPage();
  await page.goto(path);
  await settled(page);
  await page.screenshot({ path: `${IMAGES}${name}-${theme}.png`, fullPage: name === "overview", animations: "disabled" });
  await context.close();
});

test.each(THEMES)("admin in the %s theme", async (theme) => {
  if (theme === THEMES[0]) await server.ingest(RAW.csv, RAW.mapping, "--append");
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: theme, baseURL: server.baseUrl });
  await signIn(context, server, "admin");
  const page = await context.newPage();
  await page.goto("/admin");
  await page.getByRole("button", { name: /^Activate version/ }).first().waitFor();
  await page.locator("[data-stale=false]").waitFor();
  await page.locator("[data-state=running]").first().waitFor({ state: "detached" });
  await page.reload(); // without the notice of a new version
  await page.getByRole("button", { name: /^Activate version/ }).first().waitFor();
  await settled(page);
  await page.screenshot({ path: `${IMAGES}admin-${theme}.png`, fullPage: true, animations: "disabled" });
  await context.close();
});

test.each(THEMES)("sign-in in the %s theme", async (theme) => {
  const context = await browser.newContext({ viewport: { width: 1280, height: 600 }, colorScheme: theme, baseURL: server.baseUrl });
  const page = await context.newPage();
  await page.goto("/sign-in");
  await page.getByRole("button", { name: "admin / dev" }).waitFor();
  await page.screenshot({ path: `${IMAGES}sign-in-${theme}.png`, animations: "disabled" });
  await context.close();
});
