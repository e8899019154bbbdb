import type { CallsQuery } from "@supportapi/client/react";

import type { Address } from "../address.ts";
import { formatSeconds } from "../format.ts";

/** Parameters of the calls alone: what each is called, and whether the API takes many of it, or a number. */
interface Narrowing {
  name: string;
  kind: "list" | "number" | "text";
  say: (values: readonly string[]) => string;
}

const KNOWN: Record<string, string> = { true: "yes", false: "no", null: "not known" };
const knownWords = (values: readonly string[]) => values.map((value) => KNOWN[value] ?? value).join(" or ");
const inSeconds = (values: readonly string[]) => formatSeconds(Number(values[0]));

export const NARROWINGS = {
  customer_id: { name: "Customer", kind: "list", say: (values) => values.join(", ") },
  rating: { name: "Rating", kind: "list", say: (values) => values.map((value) => (value === "null" ? "none" : value)).join(", ") },
  answered: { name: "Answered", kind: "list", say: knownWords },
  resolved: { name: "Resolved", kind: "list", say: knownWords },
  min_duration: { name: "Lasted at least", kind: "number", say: inSeconds },
  max_duration: { name: "Lasted at most", kind: "number", say: inSeconds },
  q: { name: "Search", kind: "text", say: (values) => values.join(" ") },
} as const satisfies Partial<Record<keyof CallsQuery, Narrowing>>;

export type NarrowingName = keyof typeof NARROWINGS;
export const NARROWING_NAMES = Object.keys(NARROWINGS) as NarrowingName[];

/** What of the address narrows the calls, as the API takes it. Values are the API's to judge. */
export function narrowingOf(address: Address): Partial<CallsQuery> {
  return Object.fromEntries(
    NARROWING_NAMES.flatMap((name): [string, unknown][] => {
      const values = address[name];
      if (values === undefined) return [];
      const kind: Narrowing["kind"] = NARROWINGS[name].kind;
      return [[name, kind === "list" ? values : kind === "number" ? Number(values[0]) : values.join(",")]];
    }),
  );
}
