import { answered, createClient, type SupportApi } from "@supportapi/client";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { type Server, startServer } from "../../../clients/typescript/test/server.ts";
import { formatCount, formatValue } from "../../src/format.ts";
import { launch, PAGES, redisOf, settled, signIn, THEMES, violations } from "./browser.ts";

let server: Server;
let browser: Browser;
let context: BrowserContext;
let page: Page;
let api: SupportApi;
let faults: string[];

beforeAll(async () => {
  browser = await launch();
  server = await startServer({ calls: 20_000 });
  const credentials = { username: "viewer", password: "dev" };
  const anonymous = createClient({ baseUrl: server.baseUrl });
  const { data } = await answered(anonymous.POST("/api/auth/sign-in", { body: credentials }));
  api = createClient({ baseUrl: server.baseUrl, token: data.access_token });
});

afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 900 }, baseURL: server.baseUrl });
  context.setDefaultTimeout(20_000);
  faults = [];
  page = await context.newPage();
  page.on("pageerror", (error) => faults.push(error.message));
});

afterEach(async () => {
  await context.close();
  expect(faults).toEqual([]);
});

async function open(path: string): Promise<void> {
  await signIn(context, server);
  await page.goto(path);
  await settled(page);
}

describe("sign-in", () => {
  test("who has no session signs in, and comes to the page that was asked for", async () => {
    await page.goto("/calls?rating=1");

    await page.getByLabel("Username").fill("viewer");
    await page.getByLabel("Password").fill("dev");
    await page.getByRole("button", { name: "Sign in" }).click();
    await settled(page);

    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe("/calls?rating=1");
  });

  test("a wrong password is said, with what to quote", async () => {
    await page.goto("/sign-in");

    await page.getByLabel("Username").fill("viewer");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();

    expect(await page.getByRole("alert").innerText()).toMatch(/wrong[\s\S]*UNAUTHENTICATED[\s\S]*request \S+/);
  });

  test("a sample user is one press away, and an address elsewhere is not gone to", async () => {
    await page.goto(`/sign-in?next=${encodeURIComponent("//example.org/")}`);

    await page.getByRole("button", { name: "admin / dev" }).click();
    await settled(page);

    expect(page.url()).toBe(`${server.baseUrl}/`);
  });

  test("who signs out has to sign in again", async () => {
    await open("/");

    await page.getByLabel("Menu of viewer").click();
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByLabel("Username").waitFor();
    await page.goto("/");
    await page.getByLabel("Username").waitFor();

    expect(new URL(page.url()).pathname).toBe("/sign-in");
  });
});

describe("numbers", () => {
  test("filters that are chosen give the API's numbers, and stand in the address", async () => {
    await open("/");

    await page.getByRole("radio", { name: "Last 90 days" }).check({ force: true });
    await page.locator("summary", { hasText: "Region" }).click();
    await page.getByRole("checkbox", { name: /UK & Ireland/ }).check();
    await page.waitForURL(/region=UK%20%26%20Ireland/);
    await settled(page);
    const query = { range: "90d", region: ["UK & Ireland"] } as const;
    const { data } = await answered(api.GET("/api/metrics", { params: { query: { ...query, region: [...query.region] } } }));
    const card = (key: string) => data.kpis?.find((found) => found.key === key);

    expect(await page.locator("[data-metric=calls]").innerText()).toBe(formatValue(card("calls")?.value, "count"));
    expect(await page.locator("[data-metric=csat]").innerText()).toBe(formatValue(card("csat")?.value, "percent"));
    expect(new URL(page.url()).search).toBe("?range=90d&region=UK%20%26%20Ireland");
  });

  test("an address shows again what it showed", async () => {
    await open("/?metric=csat&range=90d&channel=chat");
    const before = await page.locator("main").innerText();

    await page.reload();
    await settled(page);

    expect(await page.locator("main").innerText()).toBe(before);
  });

  test("facets are the calls that each choice would leave", async () => {
    await open("/?channel=chat");
    const { data } = await answered(api.GET("/api/filters/options", { params: { query: { range: "30d", channel: ["chat"] } } }));

    await page.locator("summary", { hasText: "Issue type" }).click();
    const shown = await page.locator(".members li:visible").allInnerTexts();

    expect(shown.map((text) => text.replace(/\s+/g, " "))).toEqual(data.issue_types.map(({ label, calls }) => `${label} ${formatCount(calls)}`));
  });

  test("a bar leads to exactly its calls", async () => {
    await open("/");
    const bar = page.locator(".region tbody tr", { hasText: "UK & Ireland" });
    const calls = await bar.locator("td").first().innerText();

    await bar.getByRole("link").click();
    await page.waitForURL("**/calls?*");
    await settled(page);

    expect(await page.locator("[data-total]").innerText()).toBe(calls);
  });

  test("a rating leads to exactly its calls", async () => {
    await open("/");
    const rating = page.locator("[data-rating='1']");
    const calls = (await rating.locator(".number").first().innerText()).split("\n")[0];

    await rating.getByRole("link").click();
    await page.waitForURL("**/calls?*");
    await settled(page);

    expect(await page.locator("[data-total]").innerText()).toBe(calls);
  });

  test("an hour of the week leads to exactly its calls", async () => {
    await open("/");
    const cell = page.locator("[data-cell='0,15']");
    const calls = (await cell.getAttribute("title"))?.split(": ")[1];

    await cell.click();
    await page.waitForURL("**/calls?*");
    await settled(page);

    expect(await page.locator("[data-total]").innerText()).toBe(calls);
  });

  test("days without data are said, not drawn as zero", async () => {
    await open("/?from=2026-09-20&to=2026-10-11");

    expect(await page.locator(".coverage").innerText()).toMatch(/^no data for 1\s–\s10 Oct 2026/);
  });

  test("the leaderboard is sorted by the server", async () => {
    await open("/agents");

    await page.getByRole("button", { name: "Average duration", exact: true }).click();
    await page.waitForURL(/sort=average_duration/);
    await settled(page);
    const { data } = await answered(api.GET("/api/agents", { params: { query: { range: "30d", sort: "average_duration", per_page: 25 } } }));

    expect(await page.locator(".board .linked").allInnerTexts()).toEqual(data.rows.map(({ agent_name }) => agent_name));
  });
});

describe("calls", () => {
  test("columns sort on the server, over all pages", async () => {
    await open("/calls");

    await page.getByRole("button", { name: "Duration" }).click();
    await page.waitForURL(/sort=-duration/);
    await settled(page);
    const { data } = await answered(api.GET("/api/calls", { params: { query: { range: "30d", sort: "-duration", per_page: 50 } } }));

    expect(await page.locator(".calls .linked").evaluateAll((rows) => rows.map((row) => row.getAttribute("title")))).toEqual(data.map(({ call_id }) => call_id));
  });

  test("a call opens beside the list, has an address of its own, and closes by Escape", async () => {
    await open("/calls?range=all");
    await page.locator(".calls .linked").first().click();
    const dialog = page.getByRole("dialog", { name: "Call" });
    await dialog.locator("dl").first().waitFor();
    const said = await dialog.innerText();

    await page.goto(page.url());
    await dialog.locator("dl").first().waitFor();
    const again = await dialog.innerText();
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "detached" });

    expect(again).toBe(said);
    expect(new URL(page.url()).search).toBe("?range=all");
  });

  test("only the chosen columns are shown", async () => {
    await open("/calls?fields=started_at,rating");

    expect(await page.locator(".calls thead th").allInnerTexts()).toEqual([expect.stringMatching(/^Started/), "Rating"]);
  });

  test("the export has every call of the list, in its order", async () => {
    await open("/calls?rating=1&sort=-duration");
    const total = await page.locator("[data-total]").innerText();

    const path = await page.getByRole("link", { name: "Export CSV" }).getAttribute("href");
    const lines = (await (await context.request.get(path ?? "")).text()).trim().split(/\r?\n/);

    expect(formatCount(lines.length - 1)).toBe(total);
    expect(lines[1]).toContain(await page.locator(".calls .linked").first().getAttribute("title"));
  });

  test("a filter that no call fits is said to be empty", async () => {
    await open("/calls?q=nobody-is-called-this");

    expect(await page.locator(".empty").innerText()).toBe("No call is like that in this window.");
  });

  test("a value that the API refuses is shown with code and request", async () => {
    await signIn(context, server);
    await page.goto("/calls?rating=9");

    expect(await page.getByRole("alert").innerText()).toMatch(/VALIDATION_ERROR · request \S+/);
  });
});

describe("for everybody", () => {
  test.each(Object.entries(PAGES).flatMap(([name, path]) => THEMES.map((theme) => ({ name, path, theme }))))("axe finds nothing on $name in the $theme theme", async ({ path, theme }) => {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    await open(path);

    expect(await violations(page)).toEqual([]);
  });

  test.each(THEMES)("axe finds nothing on the sign-in page in the %s theme", async (theme) => {
    await page.emulateMedia({ colorScheme: theme });
    await page.goto("/sign-in");
    await page.getByRole("button", { name: "admin / dev" }).waitFor();

    expect(await violations(page)).toEqual([]);
  });

  test("axe finds nothing in an open call", async () => {
    await page.emulateMedia({ reducedMotion: "reduce" });
    await open("/calls");
    await page.locator(".calls .linked").first().click();
    await page.getByRole("dialog").locator("dl").first().waitFor();

    expect(await violations(page)).toEqual([]);
  });

  test.each(Object.entries(PAGES))("%s fits a telephone", async (_, path) => {
    await page.setViewportSize({ width: 360, height: 740 });
    await open(path);

    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  });

  test("the trend can be read and followed by keys", async () => {
    await open("/");
    const trend = page.getByRole("slider");

    await trend.focus();
    const last = await trend.getAttribute("aria-valuetext");
    await page.keyboard.press("ArrowLeft");
    const before = await trend.getAttribute("aria-valuetext");
    await page.keyboard.press("Enter");
    await page.waitForURL("**/calls?*");
    await settled(page);

    expect(before).not.toBe(last);
    expect(before).toContain(`: ${await page.locator("[data-total]").innerText()},`);
  });

  test("the heat map is one stop of the Tab key, and the arrow keys move in it", async () => {
    await open("/");

    await page.locator("[data-cell][tabindex='0']").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowRight");

    expect(await page.evaluate(() => document.activeElement?.getAttribute("data-cell"))).toBe("1,10");
    expect(await page.locator("[data-cell][tabindex='0']").count()).toBe(1);
  });
});

describe("what happens meanwhile", () => {
  test("a stopped Redis is said, and the numbers stay", async () => {
    await open("/");
    const calls = await page.locator("[data-metric=calls]").innerText();
    const redis = redisOf(server);

    process.kill(redis, "SIGSTOP");
    const trouble = page.locator(".trouble");
    await trouble.waitFor({ timeout: 60_000 }).finally(() => process.kill(redis, "SIGCONT"));

    expect(await page.locator("[data-metric=calls]").innerText()).toBe(calls);
    await trouble.waitFor({ state: "detached", timeout: 60_000 });
  });

  test("a published version is shown in place, and said", async () => {
    await open("/?range=all");
    await page.evaluate(() => Object.assign(globalThis, { here: true }));

    await server.publish(21_000, 3);
    await page.locator(".toast").waitFor({ timeout: 60_000 });
    await settled(page);

    expect(await page.locator("[data-metric=calls]").innerText()).toBe("21,000");
    expect(await page.locator(".toast").innerText()).toMatch(/^New data: version [0-9a-f]{8}, built just now/);
    expect(await page.evaluate(() => "here" in globalThis)).toBe(true);
  });
});
