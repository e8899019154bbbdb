import { type MetricsQuery, useMetrics } from "@supportapi/client/react";

import { GRAINS, type Grain, metricsQueryOf, oneOf, usePlace } from "../filters.ts";
import { Answer, Skeleton } from "../parts/answer.tsx";
import { Breakdowns } from "./breakdown.tsx";
import { HeatmapPanel } from "./heatmap.tsx";
import { InsightsPanel } from "./insights.tsx";
import { Cards } from "./cards.tsx";
import { RatingsPanel } from "./ratings.tsx";
import { TrendPanel } from "./trend.tsx";

/** The cards, in their order; one of them is what the panels below are about. */
export const METRICS = [
  "calls",
  "answer_rate",
  "abandonment_rate",
  "service_level",
  "average_speed_of_answer",
  "average_duration",
  "resolution_rate",
  "first_contact_resolution",
  "csat",
  "wait_p90",
] as const satisfies MetricsQuery["metrics"];
export type ShownMetric = (typeof METRICS)[number];

const GRAIN_OF_RANGE: Record<string, Grain> = { "90d": "day", "365d": "week", ytd: "week", all: "week" };
const DAY_MILLISECONDS = 86_400_000;

export function Overview() {
  const { address, filters, change } = usePlace();
  const metric = oneOf(METRICS, address.metric) ?? "calls";
  const grain = oneOf(GRAINS, address.grain) ?? usualGrain(filters.range, filters.from, filters.to);
  const asked = { ...metricsQueryOf(filters), metrics: [...METRICS] };
  const query = useMetrics({
    ...asked,
    include: ["kpis", "series", "breakdowns", "heatmap", "insights"],
    by: ["region", "issue_type", "channel", "rating"],
    top: 10,
    grain,
    heatmap_metric: metric,
  });
  return (
    <>
      <h1 className="unseen">Overview</h1>
      <Answer query={query} waiting={<Waiting />}>
        {({ data, meta }) => (
          <div className="overview">
            <Cards cards={data.kpis ?? []} chosen={metric} onChoose={(key) => change({ metric: key }, { replace: true })} />
            <TrendPanel
              series={data.series?.find(({ key }) => key === metric)}
              meta={meta}
              grain={grain}
              onGrain={(chosen) => change({ grain: chosen }, { replace: true })}
            />
            <InsightsPanel insights={data.insights} filters={filters} />
            <Breakdowns breakdowns={data.breakdowns ?? []} metric={metric} cards={data.kpis ?? []} asked={asked} />
            <HeatmapPanel heatmap={data.heatmap} />
            <RatingsPanel breakdown={data.breakdowns?.find(({ dimension }) => dimension === "rating")} card={data.kpis?.find(({ key }) => key === "csat")} />
          </div>
        )}
      </Answer>
    </>
  );
}

/** Some 10 to 100 points, whatever the window. */
function usualGrain(range: string | undefined, from: string | undefined, to: string | undefined): Grain {
  if (from === undefined || to === undefined) return GRAIN_OF_RANGE[range ?? ""] ?? "day";
  const days = (Date.parse(to) - Date.parse(from)) / DAY_MILLISECONDS;
  return days <= 3 ? "hour" : days <= 100 ? "day" : days <= 700 ? "week" : "month";
}

function Waiting() {
  return (
    <div className="overview">
      <div className="cards">
        {METRICS.map((key) => (
          <Skeleton key={key} height="7.4rem" />
        ))}
      </div>
      <section className="panel-box trend">
        <Skeleton height="19rem" />
      </section>
      <section className="panel-box insights">
        <Skeleton height="19rem" />
      </section>
      {["region", "issue_type", "channel", "ratings", "heat"].map((area) => (
        <section key={area} className={`panel-box ${area}`}>
          <Skeleton height="12rem" />
        </section>
      ))}
    </div>
  );
}
