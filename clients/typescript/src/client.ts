import createFetchClient, { type Client, type Middleware } from "openapi-fetch";

import { ApiError, errorOf } from "./error.ts";
import { remembered } from "./remembered.ts";
import type { paths } from "./schema.ts";

export interface Options {
  /** Where the server is: `http://127.0.0.1:8000`. Not given, the page's own origin. */
  baseUrl?: string;
  /** A bearer token, or what gives the one in force. Not given, the cookie of a sign-in is sent. */
  token?: string | (() => string | null);
  /** How many answers are kept to be asked for by their ETag; 0 keeps none. */
  answersKept?: number;
  fetch?: (request: Request) => Promise<Response>;
}

/** A client whose calls either answer or throw an `ApiError`. */
export interface SupportApi extends Client<paths> {
  readonly options: Readonly<Options>;
}

export function createClient(options: Options = {}): SupportApi {
  const client = createFetchClient<paths>({
    baseUrl: options.baseUrl ?? "",
    credentials: "include",
    fetch: options.fetch ?? ((request) => fetch(request)),
  });
  // Responses pass these from the last one to the first: a 304 has become an answer before failures are looked for.
  client.use(failing, bearer(options.token), remembered(options.answersKept ?? 100));
  return Object.assign(client, { options });
}

/** The body of an answer: `(await answered(api.GET("/api/metrics"))).data.kpis`. */
export async function answered<T>(answer: Promise<{ data?: T }>): Promise<T> {
  // A failure has been thrown by then, and every success that has a body has `data`.
  return (await answer).data as T;
}

/** The header that says who asks, when it is not the cookie. */
export function authorization(token: Options["token"]): string | null {
  const found = typeof token === "function" ? token() : token;
  return found == null ? null : `Bearer ${found}`;
}

const failing: Middleware = {
  async onResponse({ response }) {
    if (!response.ok) throw await errorOf(response);
  },
  onError({ error }) {
    if (error instanceof ApiError || isAbort(error)) return error as Error;
    return new ApiError("UNREACHABLE", "The server cannot be reached.", 0, null, [], null, { cause: error });
  },
};

function bearer(token: Options["token"]): Middleware {
  return {
    onRequest({ request }) {
      const header = authorization(token);
      if (header !== null) request.headers.set("authorization", header);
      return request;
    },
  };
}

function isAbort(error: unknown): boolean {
  return error instanceof DOMException && error.name === "AbortError";
}
