import type { components } from "@supportapi/client";
import { useState } from "react";
import { Link } from "wouter";

import { GRAINS, type Grain } from "../filters.ts";
import { dayAfter, dayAt, formatDay, formatHour, formatValue, formatWindow } from "../format.ts";
import { callsPage } from "../links.ts";
import { Empty } from "../parts/answer.tsx";
import { GRAIN_NAMES, unavailableWords } from "../words.ts";
import { TrendChart } from "./trend-chart.tsx";

type Series = components["schemas"]["Series"];
type Meta = components["schemas"]["Meta"];

interface Given {
  series: Series | undefined;
  meta: Meta;
  grain: Grain;
  onGrain: (grain: Grain) => void;
}

/** One bucket of the window: what it is called, what it holds, and where its calls are. */
export interface Point {
  name: string;
  short: string;
  value: number | null;
  previous: number | null;
  link: string | null;
}

export function TrendPanel({ series, meta, grain, onGrain }: Given) {
  const [asTable, setAsTable] = useState(false);
  if (series === undefined) return null;
  const points = pointsOf(series, meta);
  const compared = meta.compare_window !== null;
  return (
    <section className="panel-box trend" aria-labelledby="trend-title">
      <header>
        <h2 id="trend-title">{series.label}</h2>
        <p className="legend">
          <span className="now">{formatWindow(meta.window)}</span>
          {meta.compare_window !== null && <span className="before">{formatWindow(meta.compare_window)}</span>}
        </p>
        <Coverage coverage={meta.coverage} />
        <div className="tools">
          <label className="choice">
            <span className="unseen">Grain</span>
            <select value={grain} onChange={({ target }) => onGrain(target.value as Grain)}>
              {GRAINS.map((choice) => (
                <option key={choice} value={choice}>
                  {GRAIN_NAMES[choice]}
                </option>
              ))}
            </select>
          </label>
          <button type="button" className="plain" aria-pressed={asTable} onClick={() => setAsTable((before) => !before)}>
            Table
          </button>
        </div>
      </header>
      {!series.available ? (
        <Empty>{unavailableWords(series.reason)}.</Empty>
      ) : points.every(({ value, previous }) => !value && !previous) ? (
        <Empty>Nothing to draw in this window{compared && ", nor in the one before"}.</Empty>
      ) : asTable ? (
        <TrendTable points={points} series={series} compared={compared} />
      ) : (
        <TrendChart points={points} label={series.label} unit={series.unit} compared={compared} />
      )}
    </section>
  );
}

/** Which part of the window has no data, or may have more of it to come. */
function Coverage({ coverage }: { coverage: Meta["coverage"] }) {
  const missing = coverage.missing.map((days) => formatWindow(days));
  const partial = coverage.partial_day === null ? [] : [`${formatDay(`${coverage.partial_day}T00:00:00Z`, "UTC")} may have calls to come`];
  const words = [...(missing.length > 0 ? [`no data for ${missing.join(", ")}`] : []), ...partial];
  return words.length === 0 ? null : <p className="quiet small coverage">{words.join("; ")}</p>;
}

function TrendTable({ points, series, compared }: { points: Point[]; series: Series; compared: boolean }) {
  return (
    <div className="scroller tall" tabIndex={0} role="group" aria-labelledby="trend-title">
      <table>
        <thead>
          <tr>
            <th scope="col">{GRAIN_NAMES[series.grain]}</th>
            <th scope="col" className="number">
              {series.label}
            </th>
            {compared && (
              <th scope="col" className="number">
                Before
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {points.map(({ name, value, previous, link }) => (
            <tr key={name}>
              <th scope="row">
                {link === null ? name : <Link href={link}>{name}</Link>}
              </th>
              <td className="number">{formatValue(value, series.unit)}</td>
              {compared && <td className="number quiet">{formatValue(previous, series.unit)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function pointsOf(series: Series, meta: Meta): Point[] {
  const zone = meta.timezone;
  return (series.points ?? []).map(({ start, value, previous, links }, at) => {
    const from = dayAt(start, zone);
    const after = series.points?.[at + 1]?.start;
    const to = series.grain === "hour" ? dayAfter(from) : after === undefined ? meta.window.to : dayAt(after, zone);
    const first = from < meta.window.from ? meta.window.from : from;
    return {
      ...namesOf(start, series.grain, zone, first, to),
      value,
      previous,
      link: callsPage(links.calls),
    };
  });
}

function namesOf(start: string, grain: Grain, zone: string, from: string, to: string): { name: string; short: string } {
  if (grain === "hour") return { name: `${formatDay(start, zone)}, ${formatHour(start, zone)}`, short: formatHour(start, zone) };
  const short = formatDay(`${from}T00:00:00Z`, "UTC");
  return { name: grain === "day" ? formatDay(start, zone, { year: true }) : formatWindow({ from, to }), short };
}
