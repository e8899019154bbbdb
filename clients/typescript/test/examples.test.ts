import { readdir } from "node:fs/promises";

import { afterAll, beforeAll, expect, test } from "vitest";

import { type Server, startServer } from "./server.ts";

// There is something to roll back to once another version has been heard of.
const PAGES = ["sign-in", "numbers", "calls", "versions", "refresh"];

let server: Server;

beforeAll(async () => {
  server = await startServer();
  process.env.SUPPORTAPI_URL = server.baseUrl;
});

afterAll(() => server?.stop());

test("no page of the guide is left out", async () => {
  const written = await readdir(new URL("examples/", import.meta.url));

  expect(written.sort()).toEqual(PAGES.map((page) => `${page}.ts`).sort());
});

test.each(PAGES)("the examples of the page %s are answered", async (page) => {
  const program = import(`./examples/${page}.ts`);
  const publishing = page === "versions" ? publishUntil(program) : Promise.resolve();

  await expect(program).resolves.toBeDefined();

  await publishing;
});

/** New data, for a program that waits for it. */
async function publishUntil(program: Promise<unknown>): Promise<void> {
  let ended = false;
  const end = () => {
    ended = true;
  };
  program.then(end, end);
  for (let seed = 2; !ended; seed += 1) await server.publish(6_000, seed);
}
