import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
export const PYTHON = process.env.SUPPORTAPI_PYTHON ?? join(ROOT, ".venv/bin/python");
const CLI = ["-m", "supportapi.cli"];

/** The whole system, as `make dev` runs it, on data of its own. */
export interface Server {
  baseUrl: string;
  /** The main process: its children are the API, the watcher, the worker and Redis. */
  pid: number;
  /** Replace the dataset with `calls` made-up ones: a new version is published a moment later. */
  publish: (calls: number, seed: number) => Promise<void>;
  /** Put the rows of a CSV file into the dataset, by a mapping; `words` are those of `supportapi ingest`. */
  ingest: (csv: string, mapping: string, ...words: string[]) => Promise<void>;
  stop: () => Promise<void>;
}

export async function startServer({ calls = 5_000, environ = {} }: { calls?: number; environ?: NodeJS.ProcessEnv } = {}) {
  const home = await mkdtemp(join(tmpdir(), "supportapi-"));
  const port = await freePort();
  const env: NodeJS.ProcessEnv = {
    ...process.env,
    APP_ENV: "local",
    PORT: String(port),
    SUPPORTAPI_HOME: join(home, "home"),
    MANIFEST_PATH: join(home, "data", "manifest.json"),
    PYTHONPATH: join(ROOT, "src"),
    LOG_FORMAT: "json",
    ...environ,
  };
  const run = async (...words: string[]): Promise<void> => {
    await promisify(execFile)(PYTHON, [...CLI, ...words], { env, cwd: home });
  };
  const publish = (count: number, seed: number) => run("sample", "--calls", String(count), "--seed", String(seed));
  const ingest = async (csv: string, mapping: string, ...words: string[]): Promise<void> => {
    await writeFile(join(home, "calls.csv"), csv);
    await writeFile(join(home, "mapping.toml"), mapping);
    await run("ingest", "calls.csv", "--mapping", "mapping.toml", ...words);
  };
  await publish(calls, 1);
  const child = spawn(PYTHON, [...CLI, "dev"], { env, cwd: home, stdio: ["ignore", "pipe", "pipe"] });
  const said: string[] = [];
  child.stdout.on("data", (part: Buffer) => said.push(part.toString()));
  child.stderr.on("data", (part: Buffer) => said.push(part.toString()));
  const baseUrl = `http://127.0.0.1:${port}`;
  await ready(child, baseUrl, said);
  const stop = async (): Promise<void> => {
    await ended(child);
    await rm(home, { recursive: true, force: true });
  };
  return { baseUrl, pid: child.pid as number, publish, ingest, stop } satisfies Server;
}

async function ready(child: ChildProcess, baseUrl: string, said: string[]): Promise<void> {
  const patienceEnds = Date.now() + 90_000;
  while (Date.now() < patienceEnds && child.exitCode === null) {
    const answer = await fetch(`${baseUrl}/api/readyz`).catch(() => null);
    if (answer?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  await ended(child);
  throw new Error(`The server did not become ready:\n${said.join("").slice(-4_000)}`);
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  await exit;
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once("error", reject);
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => (address !== null && typeof address === "object" ? resolve(address.port) : reject(address)));
    });
  });
}
