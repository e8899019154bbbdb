import type { components } from "@supportapi/client";
import { freshnessQuery, useSupportApi } from "@supportapi/client/react";
import { useQuery } from "@tanstack/react-query";

import { formatMoment, formatSeconds, formatValue, UNKNOWN } from "../format.ts";
import { Answer, Empty, Skeleton } from "../parts/answer.tsx";
import { CAUSE_WORDS } from "../words.ts";

type Told = components["schemas"]["Freshness"];
type StaleTime = components["schemas"]["StaleTime"];

const LOOK_MILLISECONDS = 5_000;
const SHOWN = 20;

/** When what was served was not the newest data: a line of time, and each of its marks in words. */
export function Freshness() {
  const freshness = useQuery({ ...freshnessQuery(useSupportApi()), refetchInterval: LOOK_MILLISECONDS });
  return (
    <section className="panel-box" aria-labelledby="freshness-title">
      <header>
        <h2 id="freshness-title">Staleness over time</h2>
      </header>
      <Answer query={freshness} waiting={<Skeleton height="12rem" />}>
        {({ data }) =>
          data.since === null ? (
            <Empty>No watcher has noted anything yet.</Empty>
          ) : (
            <>
              <Share told={data} since={data.since} />
              <Line told={data} since={data.since} />
              {data.stale.length > 0 && <Times times={data.stale} />}
            </>
          )
        }
      </Answer>
    </section>
  );
}

function Share({ told, since }: { told: Told; since: string }) {
  const span = (Date.parse(told.until) - Date.parse(since)) / 1_000;
  const fresh = span > 0 ? 100 * (1 - told.stale_seconds / span) : null;
  return (
    <p>
      <b>{formatValue(fresh, "percent")}</b> of the time since {formatMoment(since, "UTC")} what was served was the newest data; for {formatSeconds(told.stale_seconds)} it was not.
    </p>
  );
}

function Line({ told, since }: { told: Told; since: string }) {
  const begin = Date.parse(since);
  const span = Math.max(1, Date.parse(told.until) - begin);
  const place = (instant: string) => (100 * (Date.parse(instant) - begin)) / span;
  return (
    <div className="stale-line" role="img" aria-label="The stale times on a line; the table below names them">
      <div className="line">
        {told.stale.map((time) => (
          <span
            key={time.began_at}
            title={`${formatMoment(time.began_at, "UTC", { seconds: true })}: ${CAUSE_WORDS[time.cause]}, ${formatSeconds(time.seconds)}`}
            style={{ left: `${place(time.began_at)}%`, width: `${(100_000 * time.seconds) / span}%` }}
          />
        ))}
      </div>
      <p className="quiet small">
        <span>{formatMoment(since, "UTC")}</span>
        <span>now</span>
      </p>
    </div>
  );
}

function Times({ times }: { times: StaleTime[] }) {
  return (
    <div className="scroller tall" tabIndex={0} role="group" aria-labelledby="freshness-title">
      <table>
        <thead>
          <tr>
            <th scope="col">Stale from</th>
            <th scope="col" className="number">
              For
            </th>
            <th scope="col">Why</th>
            <th scope="col">Wanted version</th>
          </tr>
        </thead>
        <tbody>
          {times.slice(0, SHOWN).map((time) => (
            <tr key={time.began_at} data-cause={time.cause}>
              <th scope="row">{formatMoment(time.began_at, "UTC", { seconds: true })}</th>
              <td className="number">
                {formatSeconds(time.seconds)}
                {time.ended_at === null && <span className="quiet"> so far</span>}
              </td>
              <td>{CAUSE_WORDS[time.cause]}</td>
              <td className="mono">{time.version?.slice(0, 8) ?? UNKNOWN}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
