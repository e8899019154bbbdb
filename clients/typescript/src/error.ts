import type { components } from "./schema.ts";

export type Problem = components["schemas"]["Problem"];
export type ErrorCode = Problem["code"] | "UNREACHABLE" | "NOT_AN_ENVELOPE";

/** Every failure that a call of the client can end with, the network's included. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /** Stable; what a program may decide by. */
    readonly code: ErrorCode,
    message: string,
    /** 0 when there was no answer at all. */
    readonly status: number,
    /** What to quote to whoever runs the server; null when the request did not get there. */
    readonly requestId: string | null,
    readonly details: Problem["details"] = [],
    /** From `Retry-After`; null when the server does not say. */
    readonly retryAfterSeconds: number | null = null,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }

  /** Whether the same request may be answered later. */
  get transient(): boolean {
    return this.status === 0 || this.status === 429 || this.status === 502 || this.status === 503 || this.status === 504;
  }
}

/** The error that a response with a status of failure stands for. */
export async function errorOf(response: Response): Promise<ApiError> {
  const requestId = response.headers.get("x-request-id");
  const wait = Number(response.headers.get("retry-after") ?? Number.NaN);
  const retryAfter = Number.isFinite(wait) ? wait : null;
  const problem = problemIn(await response.text());
  if (problem === null) {
    // A proxy in between, mostly: it knows nothing of the envelope.
    const message = `${response.status} ${response.statusText}`.trim();
    return new ApiError("NOT_AN_ENVELOPE", message, response.status, requestId, [], retryAfter);
  }
  const { code, message, details, request_id } = problem;
  return new ApiError(code, message, response.status, request_id, details, retryAfter);
}

function problemIn(body: string): Problem | null {
  try {
    const found: unknown = JSON.parse(body);
    if (typeof found === "object" && found !== null && "error" in found) return found.error as Problem;
  } catch {
    // Not JSON: no envelope.
  }
  return null;
}
