import { describe, expect } from "vitest";

import { PYTHON } from "../../../clients/typescript/test/server.ts";
import { RAW, THEMES, violations } from "./browser.ts";
import { driving } from "./driven.ts";

const test = driving({ who: "admin", calls: 20_000, environ: { REFRESH_COMMAND: `${PYTHON} -m supportapi.cli sample --calls 22000 --seed 4` } });

describe("admin", () => {
  test("a viewer is told that it is not for them, and has no way to it", async ({ open, page }) => {
    await open("/admin", "viewer");

    expect(await page.getByRole("alert").innerText()).toBe("This page is for admins. You are signed in as viewer, who is a viewer.");
    expect(await page.getByRole("link", { name: "Admin" }).count()).toBe(0);
  });

  test("a refresh is asked about, shows what it does, and ends with new data in the list", async ({ open, page }) => {
    await open("/admin");
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

  test("a kept version is activated after its difference was shown, and holds", async ({ open, page }) => {
    await open("/admin");
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

  test("each publish is a stale time, and the line and its table tell of the same ones", async ({ open, page }) => {
    await open("/admin");
    const rows = page.locator("tr[data-cause=manifest_changed]");

    expect(await rows.count()).toBeGreaterThanOrEqual(2);
    expect(await page.locator(".stale-line .line span").count()).toBe(await page.locator("tr[data-cause]").count());
  });

  test("the queue is empty, and the worker and the watcher are there", async ({ open, page }) => {
    await open("/admin");

    expect(await page.locator("[data-waiting]").innerText()).toBe("No job waits.");
    expect(await page.locator("tr[data-worker]").count()).toBe(1);
    expect(await page.getByText(/^Watcher .* looks on every event/).count()).toBe(1);
  });

  test("users are listed with their roles", async ({ open, page }) => {
    await open("/admin");

    expect(await page.locator("tr[data-user]").allInnerTexts()).toEqual([
      expect.stringMatching(/^admin\s+admin/),
      expect.stringMatching(/^europe\s+viewer/),
      expect.stringMatching(/^viewer\s+viewer/),
    ]);
  });

  test("who thinks better of it changes nothing, by the keyboard alone", async ({ open, page }) => {
    await open("/admin");
    const button = page.getByRole("button", { name: /^Activate version/ }).first();

    await button.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });

    expect(await button.evaluate((element) => element === document.activeElement)).toBe(true);
  });

  test.for(THEMES)("axe finds nothing in the %s theme, nor in its question", async (theme, { open, page }) => {
    await page.emulateMedia({ colorScheme: theme });
    await open("/admin");
    const plain = await violations(page);

    await page.getByRole("button", { name: /^Activate version/ }).first().click();
    await page.locator("dialog [data-changes]").waitFor();

    expect(plain).toEqual([]);
    expect(await violations(page)).toEqual([]);
  });

  test("what the last ingest rejected is shown as it stood there, and by reason", async ({ open, page, server }) => {
    await open("/admin");
    const before = await page.getByText("No ingest has left its report").count();

    await server.ingest(RAW.csv, RAW.mapping);
    await page.locator("[data-outcome=written]").waitFor();
    const all = await page.locator(".rejects tbody tr").allInnerTexts();
    await page.getByRole("button", { name: /started_at_missing/ }).click();
    await page.locator(".rejects tbody tr", { hasText: "new-2" }).waitFor({ state: "detached" });

    expect(before).toBe(1);
    expect(all).toEqual([expect.stringMatching(/3\s+started_at_unreadable[\s\S]*start soon/), expect.stringMatching(/4\s+started_at_missing[\s\S]*id new-3/)]);
    expect(await page.locator(".rejects tbody tr").count()).toBe(1);
  });

  test("a metric that the data cannot give says what it lacks", async ({ open, page }) => {
    await open("/?range=all");
    await page.locator("[data-metric=calls]", { hasText: /^1$/ }).waitFor();

    expect(await page.locator(".card", { hasText: "CSAT" }).innerText()).toMatch(/The data lacks a column for it: rating/);
    expect(await page.locator(".card", { hasText: "CSAT" }).isDisabled()).toBe(true);
  });

  test("it fits a telephone", async ({ open, page }) => {
    await page.setViewportSize({ width: 360, height: 740 });
    await open("/admin");

    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  });
});
