import { createParser, type EventSourceMessage } from "eventsource-parser";

import { authorization, type SupportApi } from "./client.ts";
import { ApiError, errorOf } from "./error.ts";
import type { components } from "./schema.ts";

export type VersionPublished = components["schemas"]["VersionPublished"];

export type Job = components["schemas"]["Job"];

export interface Listening {
  /** A version came into force; `id` is what a later subscription may resume from. */
  onPublished: (event: VersionPublished, id: string) => void;
  /** What a build or a refresh does now; admins alone are told. */
  onJob?: (job: Job) => void;
  /** The server cannot tell what was missed since `lastEventId`: what was asked for before may be out of date. */
  onReset?: () => void;
  /** Whether the stream is there. It is opened again by itself until `signal` says stop. */
  onState?: (state: "open" | "lost") => void;
  /** A failure that waiting does not heal, a refused principal mostly: the subscription has ended. */
  onRefused?: (error: ApiError) => void;
  signal: AbortSignal;
  /** The last event that was heard; one that was missed since is sent at once. */
  lastEventId?: string;
  retryMilliseconds?: number;
}

/**
 * Hear of each version as it comes into force, until `signal` aborts. A stream that ends is opened again with
 * `Last-Event-ID`, so that nothing published in between is missed. (EventSource cannot send a bearer token.)
 */
export async function subscribe(api: SupportApi, listening: Listening): Promise<void> {
  const { signal, onState, onRefused } = listening;
  const place = { id: listening.lastEventId ?? "", retry: listening.retryMilliseconds ?? 2_000 };
  while (!signal.aborted) {
    try {
      await listen(api, listening, place);
    } catch (error) {
      if (error instanceof ApiError && !error.transient) {
        onRefused?.(error);
        return;
      }
    }
    if (signal.aborted) return;
    onState?.("lost");
    await pause(place.retry, signal);
  }
}

async function listen(api: SupportApi, listening: Listening, place: { id: string; retry: number }): Promise<void> {
  const response = await open(api, place.id, listening.signal);
  listening.onState?.("open");
  const parser = createParser({
    onEvent: (message: EventSourceMessage) => {
      if (message.id !== undefined) place.id = message.id;
      if (message.event === "version.published") {
        listening.onPublished(JSON.parse(message.data) as VersionPublished, place.id);
      } else if (message.event === "job.progress") {
        listening.onJob?.(JSON.parse(message.data) as Job);
      } else if (message.event === "reset") {
        listening.onReset?.();
      }
    },
    onRetry: (milliseconds) => {
      place.retry = milliseconds;
    },
  });
  const reader = response.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (let part = await reader?.read(); part !== undefined && !part.done; part = await reader?.read()) {
    parser.feed(part.value);
  }
}

async function open(api: SupportApi, lastEventId: string, signal: AbortSignal): Promise<Response> {
  const { baseUrl = "", token, fetch: ask = (request: Request) => fetch(request) } = api.options;
  const headers = new Headers({ accept: "text/event-stream" });
  const who = authorization(token);
  if (who !== null) headers.set("authorization", who);
  if (lastEventId !== "") headers.set("last-event-id", lastEventId);
  const response = await ask(new Request(`${baseUrl}/api/events`, { headers, signal, credentials: "include" }));
  if (!response.ok) throw await errorOf(response);
  return response;
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener("abort", done, { once: true });
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
  });
}
