import type { components } from "@supportapi/client";
import { Link } from "wouter";

import { formatCount, formatValue } from "../format.ts";
import { callsPage } from "../links.ts";
import { Empty } from "../parts/answer.tsx";
import { Move } from "../parts/move.tsx";
import { unavailableWords } from "../words.ts";

interface Given {
  breakdown: components["schemas"]["Breakdown"] | undefined;
  card: components["schemas"]["KpiCard"] | undefined;
}

/** How the rated calls are rated. Those that nobody rated are said, and are no part of the bars. */
export function RatingsPanel({ breakdown, card }: Given) {
  if (breakdown === undefined || card === undefined) return null;
  const rated = breakdown.rows.filter(({ key }) => key !== "null");
  const unrated = breakdown.rows.find(({ key }) => key === "null");
  const total = rated.reduce((sum, { calls }) => sum + calls, 0);
  const most = Math.max(1, ...rated.map(({ calls }) => calls));
  return (
    <section className="panel-box ratings" aria-labelledby="ratings-title">
      <header>
        <h2 id="ratings-title">Ratings</h2>
        <p className="quiet">CSAT {formatValue(card.value, "percent")}</p>
      </header>
      {!card.available ? (
        <Empty>{unavailableWords(card.reason, card.columns)}.</Empty>
      ) : total === 0 ? (
        <Empty>Nobody rated a call in this window.</Empty>
      ) : (
        <>
          <ul className="stars">
            {rated.map(({ key, calls, delta, links }) => (
              <li key={key} data-rating={key}>
                <Link href={callsPage(links.calls) ?? "/calls"}>
                  <span className="star">{key} ★</span>
                  <span className="bar" aria-hidden="true">
                    <span style={{ width: `${(calls / most) * 100}%` }} />
                  </span>
                  <span className="number">
                    {formatCount(calls)}
                    <span className="unseen"> calls</span>
                  </span>
                  <span className="number quiet">{formatValue((calls / total) * 100, "percent")}</span>
                </Link>
                <Move delta={delta} unit="count" />
              </li>
            ))}
          </ul>
          <p className="quiet">
            {formatCount(total)} calls rated
            {unrated !== undefined && (
              <>
                , <Link href={callsPage(unrated.links.calls) ?? "/calls"}>{formatCount(unrated.calls)} not rated</Link>
              </>
            )}
          </p>
        </>
      )}
    </section>
  );
}
