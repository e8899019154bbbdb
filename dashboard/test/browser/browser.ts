import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";

import AxeBuilderSource from "axe-core";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

import type { Server } from "../../../clients/typescript/test/server.ts";

export const PAGES = { overview: "/", agents: "/agents", calls: "/calls" } as const;
export const THEMES = ["light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

/** The installed Chromium: nothing is downloaded. */
export async function launch(): Promise<Browser> {
  const path = process.env.CHROMIUM ?? "/usr/bin/chromium";
  if (!existsSync(path)) {
    throw new Error(`There is no browser at ${path}. Install one ('apt-get install chromium'), or name it: CHROMIUM=/path/to/chromium.`);
  }
  // Chromium's sandbox refuses root, which is who runs in a container; the only pages are our own.
  const args = process.getuid?.() === 0 ? ["--no-sandbox"] : [];
  return chromium.launch({ executablePath: path, args });
}

export async function signIn(context: BrowserContext, server: Server, username = "viewer"): Promise<void> {
  await context.request.post(`${server.baseUrl}/api/auth/sign-in`, { data: { username, password: "dev" } });
}

/** Until what was asked for is shown, and nothing old is. */
export async function settled(page: Page): Promise<void> {
  // The address changes a moment before the page does.
  await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
  await page.locator("main .answer[aria-busy='false']").first().waitFor();
  await page.locator(".answer[aria-busy='true'], .skeleton").first().waitFor({ state: "detached" });
}

/** What axe finds wrong, as `rule: elements`. */
export async function violations(page: Page): Promise<string[]> {
  // Into the page's own world by the debugger's protocol: its policy allows no inline script.
  await page.evaluate(AxeBuilderSource.source);
  const found = await page.evaluate(async () => {
    const axe = (globalThis as unknown as { axe: typeof AxeBuilderSource }).axe;
    return (await axe.run(document, { resultTypes: ["violations"] })).violations;
  });
  return found.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map(({ html }) => html.slice(0, 160)).join(" | ")}`);
}

/** Rows of a contact centre, of which two cannot become calls, and the mapping for them. */
export const RAW = {
  csv: "id,start,team\nnew-1,2026-09-30 10:00:00,North America\nnew-2,soon,North America\nnew-3,,Asia Pacific\n",
  mapping: 'name = "centre"\ntime_zone = "UTC"\n[columns]\ncall_id = "id"\nstarted_at = { from = "start", formats = "iso" }\nregion = "team"\n',
};

/** The process of the server's own Redis. */
export function redisOf(server: Server): number {
  const children = execFileSync("ps", ["-o", "pid=,args=", "--ppid", String(server.pid)], { encoding: "utf8" });
  const line = children.split("\n").find((child) => /redis-server|valkey-server/.test(child));
  if (line === undefined) throw new Error(`There is no Redis among:\n${children}`);
  return Number.parseInt(line, 10);
}
