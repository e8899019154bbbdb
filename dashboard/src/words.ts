import type { components } from "@supportapi/client";
import type { Compare, Dimension, Grain, Range } from "./filters.ts";

export const RANGE_NAMES: Record<Range, { short: string; long: string }> = {
  "7d": { short: "7 d", long: "Last 7 days" },
  "30d": { short: "30 d", long: "Last 30 days" },
  "90d": { short: "90 d", long: "Last 90 days" },
  "365d": { short: "1 y", long: "Last 365 days" },
  mtd: { short: "MTD", long: "Month to date" },
  ytd: { short: "YTD", long: "Year to date" },
  all: { short: "All", long: "All data" },
};

export const COMPARE_NAMES: Record<Compare, string> = {
  previous: "the days before",
  previous_week: "a week before",
  previous_month: "a month before",
  previous_year: "a year before",
  none: "nothing",
};

export const GRAIN_NAMES: Record<Grain, string> = { hour: "Hour", day: "Day", week: "Week", month: "Month" };

export const DIMENSION_NAMES: Record<Dimension, { one: string; many: string }> = {
  region: { one: "Region", many: "regions" },
  issue_type: { one: "Issue type", many: "issue types" },
  channel: { one: "Channel", many: "channels" },
  agent_id: { one: "Agent", many: "agents" },
};

export const WEEKDAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"] as const;

type StaleReason = NonNullable<components["schemas"]["Meta"]["stale_reason"]>;
export const STALE_WORDS: Record<StaleReason, string> = {
  manifest_changed: "New data is being built; these numbers are the last ones published.",
  build_failed: "The newest data could not be built; these numbers are the last good ones.",
  rolled_back: "An admin went back to an older version; newer data is held off.",
  manifest_unreadable: "The dataset's manifest cannot be read; these numbers are the last good ones.",
  redis_unreachable: "Redis cannot be reached; these numbers are the last ones that this server has seen.",
  watcher_silent: "Nobody watches the dataset at the moment; there may be newer data.",
  version_lost: "The published version is gone from Redis; these numbers are the last ones that this server has seen.",
};

/** The same in few words, of a time that may be over. */
export const CAUSE_WORDS: Record<components["schemas"]["StaleTime"]["cause"], string> = {
  manifest_changed: "New data was being built",
  build_failed: "Its build failed",
  rolled_back: "An admin went back",
  manifest_unreadable: "The manifest could not be read",
  watcher_silent: "Nobody watched",
};

const UNAVAILABLE_WORDS: Record<string, string> = {
  column_absent: "The data lacks a column for it",
  no_agent_before_answer: "No agent is there before a call is answered",
};

/** Why a metric cannot be given, for people. */
export function unavailableWords(reason: string | null, columns?: readonly string[] | null): string {
  const words = UNAVAILABLE_WORDS[reason ?? ""] ?? "Not available";
  return columns != null && columns.length > 0 ? `${words}: ${columns.join(", ")}` : words;
}

/** Labels that are too long for a card. */
const SHORT_LABELS: Record<string, string> = {
  average_speed_of_answer: "Speed of answer",
  abandonment_rate_excl_short: "Abandonment, no short ones",
  first_contact_resolution: "First contact resolved",
};

export function cardLabel(key: string, label: string): string {
  return SHORT_LABELS[key] ?? label;
}
