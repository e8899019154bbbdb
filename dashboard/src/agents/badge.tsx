import type { components } from "@supportapi/client";

type Row = components["schemas"]["AgentRow"];

const REASONS: Record<NonNullable<Row["badge_reason"]>, string> = {
  small_sample: "too few calls",
  within_chance: "within chance",
  no_better_direction: "neither side is better",
  no_agent_before_answer: "before an agent answers",
  no_interval: "no badge for this metric",
  no_value: "no value",
  not_ranked: "not ranked",
};

/** An agent's band among the others; without one, why there is none. */
export function Badge({ badge, reason }: { badge: Row["badge"]; reason: Row["badge_reason"] }) {
  if (badge !== null) return <span className={`badge ${badge}`}>{badge}</span>;
  return <span className="quiet small">{reason === null ? "" : REASONS[reason]}</span>;
}
