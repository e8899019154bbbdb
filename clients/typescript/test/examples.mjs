// The TypeScript of docs/guide, a module for each page: what `tsc` checks and `examples.test.ts` runs.
import { mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";

const GUIDE = new URL("../../../docs/guide/", import.meta.url);
const OUT = new URL("examples/", import.meta.url);
const BLOCK = /^```ts\n(.*?)^```$/gms;

await rm(OUT, { recursive: true, force: true });
await mkdir(OUT);
for (const page of await readdir(GUIDE)) {
  const blocks = [...(await readFile(new URL(page, GUIDE), "utf8")).matchAll(BLOCK)].map(([, code]) => code);
  const program = blocks.join("\n").replace('"http://localhost:8000"', "process.env.SUPPORTAPI_URL as string");
  await writeFile(new URL(page.replace(/\.md$/, ".ts"), OUT), program);
}
