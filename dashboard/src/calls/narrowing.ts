import type { CallsQuery } from "@supportapi/client/react";

import type { Address } from "../address.ts";
import { formatMoment, formatSeconds } from "../format.ts";
import { WEEKDAYS } from "../words.ts";

/** Parameters of the calls alone: what each is called, and whether the API takes many of it, or a number. */
interface Narrowing {
  name: string;
  kind: "list" | "numbers" | "number" | "text";
  say: (values: readonly string[]) => string;
}

const KNOWN: Record<string, string> = { true: "yes", false: "no", null: "not known" };
const knownWords = (values: readonly string[]) => values.map((value) => KNOWN[value] ?? value).join(" or ");
const inSeconds = (values: readonly string[]) => formatSeconds(Number(values[0]));
const inUtc = (values: readonly string[]) => `${formatMoment(values[0] ?? "", "UTC")} UTC`;

export const NARROWINGS = {
  customer_id: { name: "Customer", kind: "list", say: (values) => values.join(", ") },
  rating: { name: "Rating", kind: "list", say: (values) => values.map((value) => (value === "null" ? "none" : value)).join(", ") },
  answered: { name: "Answered", kind: "list", say: knownWords },
  resolved: { name: "Resolved", kind: "list", say: knownWords },
  min_duration: { name: "Lasted at least", kind: "number", say: inSeconds },
  max_duration: { name: "Lasted at most", kind: "number", say: inSeconds },
  min_wait: { name: "Waited at least", kind: "number", say: inSeconds },
  max_wait: { name: "Waited at most", kind: "number", say: inSeconds },
  weekday: { name: "Weekday", kind: "numbers", say: (values) => values.map((day) => WEEKDAYS[Number(day)] ?? day).join(", ") },
  hour: { name: "Hour", kind: "numbers", say: (values) => values.map((hour) => `${hour.padStart(2, "0")}:00`).join(", ") },
  started_from: { name: "From", kind: "text", say: inUtc },
  started_to: { name: "Before", kind: "text", say: inUtc },
  offered: { name: "Counted by the service level", kind: "text", say: (values) => values.join().replaceAll("_", " ") },
  threshold: { name: "Threshold", kind: "number", say: inSeconds },
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
      return [[name, kind === "list" ? values : kind === "numbers" ? values.map(Number) : kind === "number" ? Number(values[0]) : values.join(",")]];
    }),
  );
}
