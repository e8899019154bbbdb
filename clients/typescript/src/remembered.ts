import type { Middleware } from "openapi-fetch";

interface Kept {
  etag: string;
  body: string;
  headers: Headers;
}

/**
 * Sends the ETag of the last answer to the same question, and gives that answer back on 304: what did not change is
 * not sent again. The `limit` answers that were used last are kept.
 */
export function remembered(limit: number): Middleware {
  const kept = new Map<string, Kept>();
  return {
    onRequest({ request }) {
      const known = request.method === "GET" ? kept.get(keyOf(request)) : undefined;
      if (known !== undefined && !request.headers.has("if-none-match")) request.headers.set("if-none-match", known.etag);
      return request;
    },
    async onResponse({ request, response }) {
      if (request.method !== "GET") return undefined;
      const key = keyOf(request);
      const known = kept.get(key);
      if (response.status === 304 && known !== undefined) {
        remember(kept, key, known, limit);
        return new Response(known.body, { status: 200, headers: known.headers });
      }
      const etag = response.headers.get("etag");
      if (response.status === 200 && etag !== null && isJson(response)) {
        remember(kept, key, { etag, body: await response.clone().text(), headers: response.headers }, limit);
      }
      return undefined;
    },
  };
}

/** Answers are of one user: a client that signs in as another one asks again. */
function keyOf(request: Request): string {
  return `${request.headers.get("authorization") ?? ""} ${request.url}`;
}

function isJson(response: Response): boolean {
  return response.headers.get("content-type")?.startsWith("application/json") ?? false;
}

function remember(kept: Map<string, Kept>, key: string, answer: Kept, limit: number): void {
  kept.delete(key);
  kept.set(key, answer);
  const oldest = kept.keys().next();
  if (kept.size > limit && !oldest.done) kept.delete(oldest.value);
}
