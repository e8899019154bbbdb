import { answered, type SupportApi } from "@supportapi/client";
import { describe, expect } from "vitest";

import { formatCount, formatValue } from "../../src/format.ts";
import { PAGES, redisOf, settled, signIn, THEMES, violations } from "./browser.ts";
import { driving } from "./driven.ts";

const test = driving({ who: "viewer", calls: 20_000 });

describe("sign-in", () => {
  test("who has no session signs in, and comes to the page that was asked for", async ({ page }) => {
    await page.goto("/calls?rating=1");

    await page.getByLabel("Username").fill("viewer");
    await page.getByLabel("Password").fill("dev");
    await page.getByRole("button", { name: "Sign in" }).click();
    await settled(page);

    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe("/calls?rating=1");
  });

  test("a wrong password is said, with what to quote", async ({ page }) => {
    await page.goto("/sign-in");

    await page.getByLabel("Username").fill("viewer");
    await page.getByLabel("Password").fill("wrong");
    await page.getByRole("button", { name: "Sign in" }).click();

    expect(await page.getByRole("alert").innerText()).toMatch(/wrong[\s\S]*UNAUTHENTICATED[\s\S]*request \S+/);
  });

  test("a sample user is one press away, and an address elsewhere is not gone to", async ({ page, server }) => {
    await page.goto(`/sign-in?next=${encodeURIComponent("//example.org/")}`);

    await page.getByRole("button", { name: "admin / dev" }).click();
    await settled(page);

    expect(page.url()).toBe(`${server.baseUrl}/`);
  });

  test("who signs out has to sign in again", async ({ open, page }) => {
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
  test("filters that are chosen give the API's numbers, and stand in the address", async ({ api, open, page }) => {
    await open("/");

    await page.getByRole("radio", { name: "Last 90 days" }).check({ force: true });
    await page.locator(".filters summary", { hasText: "Region" }).click();
    await page.getByRole("checkbox", { name: /UK & Ireland/ }).check();
    await page.waitForURL(/region=UK%20%26%20Ireland/);
    await settled(page);
    const query = { range: "90d", region: ["UK & Ireland"] } as const;
    const { data } = await answered(api.GET("/api/metrics", { params: { query: { ...query, region: [...query.region] } } }));
    const card = (key: string) => data.kpis?.find((found) => found.key === key);

    expect(await page.locator("[data-metric=calls]").innerText()).toBe(formatValue(card("calls")?.value, "count"));
    expect(await page.locator("[data-metric=csat]").innerText()).toBe(formatValue(card("csat")?.value, "percent"));
    expect(await page.locator("[data-metric=first_contact_resolution]").innerText()).toBe(formatValue(card("first_contact_resolution")?.value, "percent"));
    expect(new URL(page.url()).search).toBe("?range=90d&region=UK%20%26%20Ireland");
  });

  test("an address shows again what it showed", async ({ open, page }) => {
    await open("/?metric=csat&range=90d&channel=chat");
    const before = await page.locator("main").innerText();

    await page.reload();
    await settled(page);

    expect(await page.locator("main").innerText()).toBe(before);
  });

  test("facets are the calls that each choice would leave", async ({ api, open, page }) => {
    await open("/?channel=chat");
    const { data } = await answered(api.GET("/api/filters/options", { params: { query: { range: "30d", channel: ["chat"] } } }));

    await page.locator(".filters summary", { hasText: "Issue type" }).click();
    const shown = await page.locator(".members li:visible").allInnerTexts();

    expect(shown.map((text) => text.replace(/\s+/g, " "))).toEqual(data.issue_types.map(({ label, calls }) => `${label} ${formatCount(calls)}`));
  });

  test("a card leads to exactly the calls behind it", async ({ api, open, page }) => {
    await open("/?range=90d");
    const { data } = await answered(api.GET("/api/metrics", { params: { query: { range: "90d", metrics: ["csat"] } } }));
    const rated = Object.values(data.kpis?.[0]?.counts ?? {}).reduce((sum, count) => sum + count, 0);

    await page.getByRole("link", { name: "Calls behind CSAT" }).click();
    await page.waitForURL("**/calls?*");
    await settled(page);

    expect(await page.locator("[data-total]").innerText()).toBe(formatCount(rated));
  });

  test("a row of the leaderboard leads to exactly its calls", async ({ open, page }) => {
    await open("/agents?sort=-calls");
    const link = page.locator(".board .followed").first();
    const calls = await link.innerText();

    await link.click();
    await page.waitForURL("**/calls?*");
    await settled(page);

    expect(await page.locator("[data-total]").innerText()).toBe(calls);
  });

  test("a bar leads to exactly its calls", async ({ open, page }) => {
    await open("/");
    const bar = page.locator(".region tbody tr", { hasText: "UK & Ireland" });
    const calls = await bar.locator("td").first().innerText();

    await bar.getByRole("link").click();
    await page.waitForURL("**/calls?*");
    await settled(page);

    expect(await page.locator("[data-total]").innerText()).toBe(calls);
  });

  test("a rating leads to exactly its calls", async ({ open, page }) => {
    await open("/");
    const rating = page.locator("[data-rating='1']");
    const calls = (await rating.locator(".number").first().innerText()).split("\n")[0];

    await rating.getByRole("link").click();
    await page.waitForURL("**/calls?*");
    await settled(page);

    expect(await page.locator("[data-total]").innerText()).toBe(calls);
  });

  test("an hour of the week leads to exactly its calls", async ({ open, page }) => {
    await open("/");
    const cell = page.locator("[data-cell='0,15']");
    const calls = (await cell.getAttribute("title"))?.split(": ")[1];

    await cell.click();
    await page.waitForURL("**/calls?*");
    await settled(page);

    expect(await page.locator("[data-total]").innerText()).toBe(calls);
  });

  test("days without data are said, not drawn as zero", async ({ open, page }) => {
    await open("/?from=2026-09-20&to=2026-10-11");

    expect(await page.locator(".coverage").innerText()).toMatch(/^no data for 1\s–\s10 Oct 2026/);
  });

  test("the leaderboard is sorted by the server", async ({ api, open, page }) => {
    await open("/agents");

    await page.getByRole("button", { name: "Average duration", exact: true }).click();
    await page.waitForURL(/sort=average_duration/);
    await settled(page);
    const { data } = await answered(api.GET("/api/agents", { params: { query: { range: "30d", sort: "average_duration", per_page: 25 } } }));

    expect(await page.locator(".board .linked").allInnerTexts()).toEqual(data.rows.map(({ agent_name }) => agent_name));
  });
});

describe("calls", () => {
  test("columns sort on the server, over all pages", async ({ api, open, page }) => {
    await open("/calls");

    await page.getByRole("button", { name: "Duration" }).click();
    await page.waitForURL(/sort=-duration/);
    await settled(page);
    const { data } = await answered(api.GET("/api/calls", { params: { query: { range: "30d", sort: "-duration", per_page: 50 } } }));

    expect(await page.locator(".calls .linked").evaluateAll((rows) => rows.map((row) => row.getAttribute("title")))).toEqual(data.map(({ call_id }) => call_id));
  });

  test("a call opens beside the list, has an address of its own, and closes by Escape", async ({ open, page }) => {
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

  test("only the chosen columns are shown", async ({ open, page }) => {
    await open("/calls?fields=started_at,rating");

    expect(await page.locator(".calls thead th").allInnerTexts()).toEqual([expect.stringMatching(/^Started/), "Rating"]);
  });

  test("the export has every call of the list, in its order", async ({ context, open, page }) => {
    await open("/calls?rating=1&sort=-duration");
    const total = await page.locator("[data-total]").innerText();

    await page.locator("summary", { hasText: "Export" }).click();
    const path = await page.getByRole("link", { name: "CSV" }).getAttribute("href");
    const lines = (await (await context.request.get(path ?? "")).text()).trim().split(/\r?\n/);

    expect(formatCount(lines.length - 1)).toBe(total);
    expect(lines[1]).toContain(await page.locator(".calls .linked").first().getAttribute("title"));
  });

  test.for([
    { path: "/agents", of: "leaderboard", lines: async (api: SupportApi) => (await answered(api.GET("/api/agents", { params: { query: { range: "30d" } } }))).meta.total },
    { path: "/", of: "issue types", lines: async (api: SupportApi) => (await answered(api.GET("/api/filters/options", { params: { query: { range: "30d" } } }))).data.issue_types.length },
  ])("the export of $of has every row", async ({ path, of, lines }, { api, context, open, page }) => {
    await open(path);

    await page.locator("summary", { hasText: `Export ${of}` }).click();
    const file = await page.locator("details[open]").getByRole("link", { name: "CSV" }).getAttribute("href");
    const rows = (await (await context.request.get(file ?? "")).text()).trim().split(/\r?\n/);

    expect(rows.length - 1).toBe(await lines(api));
  });

  test("pages are read on by cursor, and back, and can be shared", async ({ api, open, page }) => {
    await open("/calls?sort=-duration");
    const ids = () => page.locator(".calls .linked").evaluateAll((rows) => rows.map((row) => row.getAttribute("title")));
    const first = await ids();

    await page.getByRole("link", { name: "Next" }).click();
    await page.waitForURL(/cursor=/);
    await page.reload();
    await settled(page);
    const second = await ids();
    await page.getByRole("link", { name: "Previous" }).click();
    await page.locator(`.calls [title='${first[0]}']`).waitFor();
    const { data } = await answered(api.GET("/api/calls", { params: { query: { range: "30d", sort: "-duration", page: 2 } } }));

    expect(second).toEqual(data.map(({ call_id }) => call_id));
    expect(await ids()).toEqual(first);
  });

  test("another order begins at the top", async ({ open, page }) => {
    await open("/calls");

    await page.getByRole("link", { name: "Next" }).click();
    await page.waitForURL(/cursor=/);
    await page.getByRole("button", { name: "Wait" }).click();
    await page.waitForURL(/sort=-wait/);

    expect(new URL(page.url()).search).toBe("?sort=-wait");
  });

  test("a filter that no call fits is said to be empty", async ({ open, page }) => {
    await open("/calls?q=nobody-is-called-this");

    expect(await page.locator(".empty").innerText()).toBe("No call is like that in this window.");
  });

  test("a value that the API refuses is shown with code and request", async ({ context, page, server }) => {
    await signIn(context, server);
    await page.goto("/calls?rating=9");

    expect(await page.getByRole("alert").innerText()).toMatch(/VALIDATION_ERROR · request \S+/);
  });
});

describe("for everybody", () => {
  test.for(Object.entries(PAGES).flatMap(([name, path]) => THEMES.map((theme) => ({ name, path, theme }))))("axe finds nothing on $name in the $theme theme", async ({ path, theme }, { open, page }) => {
    await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
    await open(path);

    expect(await violations(page)).toEqual([]);
  });

  test.for(THEMES)("axe finds nothing on the sign-in page in the %s theme", async (theme, { page }) => {
    await page.emulateMedia({ colorScheme: theme });
    await page.goto("/sign-in");
    await page.getByRole("button", { name: "admin / dev" }).waitFor();

    expect(await violations(page)).toEqual([]);
  });

  test("axe finds nothing in an open call", async ({ open, page }) => {
    await page.emulateMedia({ reducedMotion: "reduce" });
    await open("/calls");
    await page.locator(".calls .linked").first().click();
    await page.getByRole("dialog").locator("dl").first().waitFor();

    expect(await violations(page)).toEqual([]);
  });

  test.for(Object.values(PAGES))("%s fits a telephone", async (path, { open, page }) => {
    await page.setViewportSize({ width: 360, height: 740 });
    await open(path);

    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  });

  test("the trend can be read and followed by keys", async ({ open, page }) => {
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

  test("the heat map is one stop of the Tab key, and the arrow keys move in it", async ({ open, page }) => {
    await open("/");

    await page.locator("[data-cell][tabindex='0']").focus();
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowRight");

    expect(await page.evaluate(() => document.activeElement?.getAttribute("data-cell"))).toBe("1,10");
    expect(await page.locator("[data-cell][tabindex='0']").count()).toBe(1);
  });
});

describe("what happens meanwhile", () => {
  test("a stopped Redis is said, and the numbers stay", async ({ open, page, server }) => {
    await open("/");
    const calls = await page.locator("[data-metric=calls]").innerText();
    const redis = redisOf(server);

    process.kill(redis, "SIGSTOP");
    const trouble = page.locator(".trouble");
    await trouble.waitFor({ timeout: 60_000 }).finally(() => process.kill(redis, "SIGCONT"));

    expect(await page.locator("[data-metric=calls]").innerText()).toBe(calls);
    await trouble.waitFor({ state: "detached", timeout: 60_000 });
  });

  test("a published version is shown in place, and said", async ({ open, page, server }) => {
    await open("/?range=all");
    await page.evaluate(() => Object.assign(globalThis, { here: true }));

    await server.publish(21_000, 3);
    await page.locator(".toast").waitFor({ timeout: 60_000 });
    await settled(page);

    expect(await page.locator("[data-metric=calls]").innerText()).toBe("21,000");
    expect(await page.locator(".toast").innerText()).toMatch(/^New data: version [0-9a-f]{8}, built just now/);
    expect(await page.evaluate(() => "here" in globalThis)).toBe(true);
  });

  test("a list that is read on stays in its version, which is said, and the newest is one press away", async ({ open, page, server }) => {
    await open("/calls?range=all");
    const begun = await page.locator("[data-total]").innerText();
    await page.getByRole("link", { name: "Next" }).click();
    await page.waitForURL(/cursor=/);

    await server.publish(22_000, 5);
    await page.locator(".notice", { hasText: "New data was published since" }).waitFor();
    await page.getByRole("link", { name: "Next" }).click();
    await page.locator(".pager", { hasText: "101–150" }).waitFor();
    const later = await page.locator("[data-total]").innerText();
    await page.getByRole("link", { name: "Show the newest" }).click();
    await page.locator("[data-total='22000']").waitFor();

    expect(later).toBe(begun);
    expect(new URL(page.url()).search).toBe("?range=all");
  });
});
