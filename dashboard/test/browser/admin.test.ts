import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { PYTHON, type Server, startServer } from "../../../clients/typescript/test/server.ts";
import { launch, settled, signIn, THEMES, violations } from "./browser.ts";

let server: Server;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let faults: string[];

beforeAll(async () => {
  browser = await launch();
  server = await startServer({ calls: 20_000, environ: { REFRESH_COMMAND: `${PYTHON} -m supportapi.cli sample --calls 22000 --seed 4` } });
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 900 }, baseURL: server.baseUrl });
  context.setDefaultTimeout(60_000);
  faults = [];
  page = await context.newPage();
  page.on("pageerror", (error) => faults.push(error.message));
});

afterEach(async () => {
  await context.close();
  expect(faults).toEqual([]);
});

async function open(who: string): Promise<void> {
  await signIn(context, server, who);
  await page.goto("/admin");
  await settled(page);
}

describe("admin", () => {
  test("a viewer is told that it is not for them, and has no way to it", async () => {
    await open("viewer");

    expect(await page.getByRole("alert").innerText()).toBe("This page is for admins. You are signed in as viewer, who is a viewer.");
    expect(await page.getByRole("link", { name: "Admin" }).count()).toBe(0);
  });

  test("a refresh is asked about, shows what it does, and ends with new data in the list", async () => {
    await open("admin");
    const before = await page.locator("tr[data-version]").count();

    await page.getByRole("button", { name: "Refresh…" }).click();
    await page.getByRole("dialog").getByRole("button", { name: "Refresh" }).click();
    await page.locator("tr[data-job=refresh] progress").waitFor();
    await page.locator("tr[data-job=refresh][data-state=succeeded]").waitFor();
    await page.locator("tr[data-version]", { hasText: "22,000" }).getByText("served").waitFor();

    expect(before).toBe(1);
    expect(await page.locator("tr[data-version]").count()).toBe(2);
    expect(await page.locator("tr[data-job=build] .told").first().innerText()).toMatch(/pin [\s\S]*audit [\s\S]*publish /);
  });

  test("a kept version is activated after its difference was shown, and holds", async () => {
    await open("admin");
    const older = page.locator("tr[data-version]", { hasText: "20,000" });
    const version = (await older.getAttribute("data-version")) ?? "";

    await older.getByRole("button").click();
    const changes = await page.locator("dialog [data-changes]").innerText();
    await page.getByRole("dialog").getByRole("button", { name: "Activate" }).click();
    await page.locator(`tr[data-version='${version}']`).getByText("served").waitFor();
    await page.locator("[data-stale=true]").waitFor();
    await page.waitForTimeout(3_000); // the watcher looks every second

    expect(changes).toMatch(/^[\d,]+ calls are added, [\d,]+ removed, [\d,]+ changed\.$/);
    expect(await page.locator(".admin .state").innerText()).toBe("An admin went back to an older version; newer data is held off.");
    expect(await page.locator(`tr[data-version='${version}']`).getByText("served").count()).toBe(1);
  });

  test("who thinks better of it changes nothing, by the keyboard alone", async () => {
    await open("admin");
    const button = page.getByRole("button", { name: /^Activate version/ }).first();

    await button.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });

    expect(await button.evaluate((element) => element === document.activeElement)).toBe(true);
  });

  test.each(THEMES)("axe finds nothing in the %s theme, nor in its question", async (theme) => {
    await page.emulateMedia({ colorScheme: theme });
    await open("admin");
    const plain = await violations(page);

    await page.getByRole("button", { name: /^Activate version/ }).first().click();
    await page.locator("dialog [data-changes]").waitFor();

    expect(plain).toEqual([]);
    expect(await violations(page)).toEqual([]);
  });

  test("it fits a telephone", async () => {
    await page.setViewportSize({ width: 360, height: 740 });
    await open("admin");

    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  });
});
