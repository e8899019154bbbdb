import type { components } from "@supportapi/client";
import { Link } from "wouter";

import { changed, parseAddress, spellAddress } from "../address.ts";
import type { Filters } from "../filters.ts";
import { Empty } from "../parts/answer.tsx";

type Insights = components["schemas"]["Insights"];
type Insight = Insights["items"][number];

const SIGNS: Record<Insight["severity"], { sign: string; name: string }> = {
  warning: { sign: "▲", name: "Warning" },
  notice: { sign: "●", name: "Notice" },
  info: { sign: "○", name: "Info" },
};

/** Statements that the numbers bear out, the gravest first; each leads to the question that shows it. */
export function InsightsPanel({ insights, filters }: { insights: Insights | undefined; filters: Filters }) {
  if (insights === undefined) return null;
  return (
    <section className="panel-box insights" aria-labelledby="insights-title">
      <header>
        <h2 id="insights-title">Worth knowing</h2>
      </header>
      {insights.items.length === 0 ? (
        <Empty>Nothing here is beyond what chance allows.</Empty>
      ) : (
        <ol className="statements" tabIndex={0}>
          {insights.items.map((insight) => (
            <li key={insight.statement} data-severity={insight.severity}>
              <span className="sign" title={SIGNS[insight.severity].name}>
                <span aria-hidden="true">{SIGNS[insight.severity].sign}</span>
                <span className="unseen">{SIGNS[insight.severity].name}:</span>
              </span>
              <Link href={pageOf(insight, filters)}>{insight.statement}</Link>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

/** The overview of what the insight's own link asks for. */
function pageOf(insight: Insight, filters: Filters): string {
  const { include: _, metrics: __, ...asked } = parseAddress(insight.link.slice(insight.link.indexOf("?")));
  return `/${spellAddress(changed(asked, { metric: insight.metric, timezone: asked.timezone ?? filters.timezone }))}`;
}
