import type { components } from "@supportapi/client";
import type { CallsQuery } from "@supportapi/client/react";
import type { ReactNode } from "react";

import { formatMoment, formatSeconds, UNKNOWN } from "../format.ts";

/** A call with all its fields: the list is asked without `fields`. */
export type Call = components["schemas"]["CallRow"];
type Sort = NonNullable<CallsQuery["sort"]>;

export interface Column {
  key: keyof Call;
  name: string;
  /** What the API calls the order by this column; absent where it has none. */
  sort?: Exclude<Sort, `-${string}`>;
  number?: boolean;
  show: (call: Call, timezone: string) => ReactNode;
}

const text = (key: "customer_id" | "agent_id" | "region" | "channel" | "issue_type" | "resolution") => (call: Call) =>
  call[key] ?? <Unknown />;

export const COLUMNS: readonly Column[] = [
  { key: "started_at", name: "Started", sort: "started_at", show: (call, zone) => formatMoment(call.started_at, zone, { seconds: true }) },
  { key: "agent_name", name: "Agent", sort: "agent", show: (call) => call.agent_name ?? call.agent_id ?? <Unknown /> },
  { key: "region", name: "Region", show: text("region") },
  { key: "issue_type", name: "Issue type", show: text("issue_type") },
  { key: "channel", name: "Channel", show: text("channel") },
  { key: "wait_seconds", name: "Wait", sort: "wait", number: true, show: (call) => formatSeconds(call.wait_seconds) },
  { key: "duration_seconds", name: "Duration", sort: "duration", number: true, show: (call) => formatSeconds(call.duration_seconds) },
  { key: "answered", name: "Answered", show: (call) => <Known value={call.answered} /> },
  { key: "resolved", name: "Resolved", show: (call) => <Known value={call.resolved} /> },
  { key: "rating", name: "Rating", sort: "rating", number: true, show: (call) => (call.rating === null ? <Unknown /> : `${call.rating} ★`) },
  { key: "resolution", name: "Outcome", show: text("resolution") },
  { key: "service_level_met", name: "In service level", show: (call) => <Known value={call.service_level_met} /> },
  { key: "customer_id", name: "Customer", show: text("customer_id") },
  { key: "agent_id", name: "Agent id", show: text("agent_id") },
  { key: "ended_at", name: "Ended", show: (call, zone) => (call.ended_at === null ? <Unknown /> : formatMoment(call.ended_at, zone, { seconds: true })) },
];

export const USUAL: readonly (keyof Call)[] = COLUMNS.slice(0, 10).map(({ key }) => key);

export function Unknown() {
  return (
    <span className="quiet" title="Not known">
      {UNKNOWN}
    </span>
  );
}

function Known({ value }: { value: boolean | null }) {
  return value === null ? <Unknown /> : <span className={value ? "yes" : "no"}>{value ? "Yes" : "No"}</span>;
}
