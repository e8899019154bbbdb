import { QueryClient } from "@tanstack/react-query";
import { afterAll, beforeAll, expect, test } from "vitest";

import { ApiError, answered, createClient, type Options, type SupportApi, subscribe, type VersionPublished } from "../src/index.ts";
import { invalidateVersion, keys, metricsQuery } from "../src/queries.ts";
import { type Server, startServer } from "./server.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer();
});

afterAll(() => server?.stop());

async function signedIn(options: Options = {}) {
  const { access_token } = (await answered(anonymous().POST("/api/auth/sign-in", {
    body: { username: "viewer", password: "dev" },
  }))).data;
  return createClient({ baseUrl: server.baseUrl, token: access_token, ...options });
}

const anonymous = () => createClient({ baseUrl: server.baseUrl });

async function failureOf(call: Promise<unknown>): Promise<ApiError> {
  return call.then(
    () => Promise.reject(new Error("It was answered.")),
    (error: unknown) => error as ApiError,
  );
}

/** A fetch that keeps what was sent and what came back. */
function watched(): { fetch: (request: Request) => Promise<Response>; statuses: number[] } {
  const statuses: number[] = [];
  return {
    statuses,
    fetch: async (request) => {
      const response = await fetch(request);
      statuses.push(response.status);
      return response;
    },
  };
}

test("an answer has the type and the numbers of the API", async () => {
  const api = await signedIn();

  const { data, meta } = await answered(api.GET("/api/metrics", { params: { query: { range: "all" } } }));

  expect(data.kpis?.[0]).toMatchObject({ key: "calls", unit: "count", value: 5_000 });
  expect(meta.version).toMatch(/^[0-9a-f]{16}$/);
});

test("a list in a query keeps all of its members", async () => {
  const api = await signedIn();

  const { data } = await answered(
    api.GET("/api/filters/options", { params: { query: { range: "all", region: ["UK & Ireland", "null"] } } }),
  );
  const kept = data.regions.filter(({ value }) => value === "UK & Ireland" || value === "null");
  const channels = data.channels.reduce((sum, { calls }) => sum + calls, 0);

  expect(channels).toBe(kept.reduce((sum, { calls }) => sum + calls, 0));
  expect(kept).toHaveLength(2);
});

test("a failure is an error with code, details and the request's id", async () => {
  const api = await signedIn();

  const error = await failureOf(api.GET("/api/metrics", { params: { query: { from: "yesterday", to: "2026-01-01" } } }));

  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ code: "VALIDATION_ERROR", status: 422, transient: false });
  expect(error.requestId).toBeTruthy();
  expect(error.details[0]?.field).toBe("from");
});

test("who has not signed in is told so", async () => {
  const error = await failureOf(anonymous().GET("/api/metrics"));

  expect(error).toMatchObject({ code: "UNAUTHENTICATED", status: 401 });
});

test("a server that is not there is an error, too", async () => {
  const api = createClient({ baseUrl: "http://127.0.0.1:9" });

  const error = await failureOf(api.GET("/api/healthz"));

  expect(error).toMatchObject({ code: "UNREACHABLE", status: 0, requestId: null, transient: true });
});

test("what did not change is not sent again", async () => {
  const { fetch, statuses } = watched();
  const api = await signedIn({ fetch });

  const first = await answered(api.GET("/api/metrics/catalogue"));
  const second = await answered(api.GET("/api/metrics/catalogue"));

  expect(second).toEqual(first);
  expect(statuses).toEqual([200, 304]);
});

test("answers that were used longest ago are forgotten first", async () => {
  const { fetch, statuses } = watched();
  const api = await signedIn({ fetch, answersKept: 1 });

  await api.GET("/api/metrics/catalogue");
  await api.GET("/api/filters/options");
  await api.GET("/api/metrics/catalogue");

  expect(statuses).toEqual([200, 200, 200]);
});

test("a refused subscription ends, and says why", async () => {
  const refused: ApiError[] = [];

  await subscribe(anonymous(), {
    signal: new AbortController().signal,
    onPublished: () => undefined,
    onRefused: (error) => refused.push(error),
  });

  expect(refused[0]?.code).toBe("UNAUTHENTICATED");
});

test("a published version is heard of, and makes its answers be asked for again", async () => {
  const api = await signedIn();
  const queries = new QueryClient();
  const all = metricsQuery(api, { range: "all" });
  const before = await queries.fetchQuery(all);
  queries.setQueryData(keys.me, { data: { username: "viewer", role: "viewer" } });

  const { event } = await published(api, () => server.publish(6_000, 2));
  await invalidateVersion(queries);
  const after = await queries.fetchQuery(all);

  expect(after.meta.version).toBe(event.version);
  expect(after.meta.version).not.toBe(before.meta.version);
  expect(after.data.kpis?.[0]?.value).toBe(6_000);
  expect(queries.getQueryState(keys.me)?.isInvalidated).toBe(false);
});

test("a version that was published while nobody listened is heard of on return", async () => {
  const api = await signedIn();
  const { id } = await published(api, () => server.publish(5_500, 3));
  const before = await versionOf(api);
  await server.publish(5_600, 4);
  await expect.poll(() => versionOf(api), { timeout: 30_000 }).not.toBe(before);

  const ending = new AbortController();
  const event = await new Promise<VersionPublished>((resolve) => {
    void subscribe(api, { signal: ending.signal, lastEventId: id, onPublished: resolve });
  });
  ending.abort();

  expect(event.version).toBe(await versionOf(api));
});

async function versionOf(api: SupportApi): Promise<string> {
  return (await answered(api.GET("/api/metrics", { params: { query: { range: "7d" } } }))).meta.version;
}

function published(api: SupportApi, act: () => Promise<void>): Promise<{ event: VersionPublished; id: string }> {
  const ending = new AbortController();
  return new Promise((resolve, reject) => {
    void subscribe(api, {
      signal: ending.signal,
      onState: (state) => state === "open" && act().catch(reject),
      onPublished: (event, id) => {
        ending.abort();
        resolve({ event, id });
      },
    });
  });
}
