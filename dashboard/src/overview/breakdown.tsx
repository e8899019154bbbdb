import type { components } from "@supportapi/client";
import type { MetricsQuery } from "@supportapi/client/react";
import { Link } from "wouter";

import { formatCount, formatValue, percentOf } from "../format.ts";
import { callsPage } from "../links.ts";
import { Empty } from "../parts/answer.tsx";
import { Export } from "../parts/export.tsx";
import { Move } from "../parts/move.tsx";
import { cardLabel, DIMENSION_NAMES, unavailableWords } from "../words.ts";
import type { ShownMetric } from "./page.tsx";

type Breakdown = components["schemas"]["Breakdown"];
type Row = components["schemas"]["BreakdownRow"] | components["schemas"]["OtherRow"];
type Card = components["schemas"]["KpiCard"];

const SHOWN = ["region", "issue_type", "channel"] as const;
/** As many members as the API tells apart. */
const EXPORTED = 1_000;

interface Given {
  breakdowns: Breakdown[];
  metric: ShownMetric;
  cards: Card[];
  /** What the breakdowns are of, for their files. */
  asked: MetricsQuery;
}

export function Breakdowns({ breakdowns, metric, cards, asked }: Given) {
  const card = cards.find(({ key }) => key === metric);
  return (
    <>
      {SHOWN.map((dimension) => {
        const found = breakdowns.find((breakdown) => breakdown.dimension === dimension);
        return found && card && <Table key={dimension} breakdown={found} dimension={dimension} card={card} asked={asked} />;
      })}
    </>
  );
}

function Table({ breakdown, dimension, card, asked }: { breakdown: Breakdown; dimension: (typeof SHOWN)[number]; card: Card; asked: MetricsQuery }) {
  const { rows, other } = breakdown;
  const metric = card.key as ShownMetric;
  const most = Math.max(1, ...[...rows, ...(other ? [other] : [])].map(({ share }) => share ?? 0));
  const extra = metric !== "calls";
  return (
    <section className={`panel-box ${dimension}`} aria-labelledby={`by-${dimension}`}>
      <header>
        <h2 id={`by-${dimension}`}>{DIMENSION_NAMES[dimension].one}</h2>
        <Export path="/api/metrics/export" asked={{ ...asked, by: [dimension], top: EXPORTED }} of={DIMENSION_NAMES[dimension].many} what={`All ${DIMENSION_NAMES[dimension].many}, with the metrics of all cards.`} />
      </header>
      {rows.length === 0 ? (
        <Empty>No calls in this window.</Empty>
      ) : (
        <div className="scroller" tabIndex={0} role="group" aria-labelledby={`by-${dimension}`}>
          <table className="bars">
            <thead>
              <tr>
                <th scope="col">
                  <span className="unseen">{DIMENSION_NAMES[dimension].one}</span>
                </th>
                <th scope="col" className="number">
                  Calls
                </th>
                <th scope="col" className="number">
                  Share
                </th>
                {extra && (
                  <th scope="col" className="number">
                    {cardLabel(card.key, card.label)}
                  </th>
                )}
                <th scope="col" className="number">
                  Move
                </th>
              </tr>
            </thead>
            <tbody>
              {rows.map((row) => (
                <tr key={row.key}>
                  <th scope="row">
                    <Link href={callsPage(row.links.calls) ?? "/calls"} title={`Calls: ${row.label}`}>
                      <span>{row.label}</span>
                      <Bar share={row.share} most={most} />
                    </Link>
                  </th>
                  <Numbers row={row} card={card} metric={metric} />
                </tr>
              ))}
              {other && (
                <tr className="other">
                  <th scope="row">
                    <span>{formatCount(other.members)} others</span>
                    <Bar share={other.share} most={most} />
                  </th>
                  <Numbers row={other} card={card} metric={metric} />
                </tr>
              )}
            </tbody>
          </table>
        </div>
      )}
      {breakdown.unavailable[metric] !== undefined && <p className="quiet">{unavailableWords(breakdown.unavailable[metric])}.</p>}
    </section>
  );
}

function Numbers({ row, card, metric }: { row: Row; card: Card; metric: ShownMetric }) {
  return (
    <>
      <td className="number">{formatCount(row.calls)}</td>
      <td className="number quiet">{percentOf(row.share)}</td>
      {metric !== "calls" && <td className="number">{formatValue(row[metric], card.unit)}</td>}
      <td className="number">
        <Move delta={metric === "calls" ? row.delta : row.deltas?.[metric]} unit={card.unit} />
      </td>
    </>
  );
}

function Bar({ share, most }: { share: number | null; most: number }) {
  return (
    <span className="bar" aria-hidden="true">
      <span style={{ width: `${((share ?? 0) / most) * 100}%` }} />
    </span>
  );
}
