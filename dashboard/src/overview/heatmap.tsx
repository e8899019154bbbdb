import type { components } from "@supportapi/client";
import { type KeyboardEvent, useRef, useState } from "react";

import { useLocation } from "wouter";

import { formatCount, formatShort, formatValue } from "../format.ts";
import { callsPage } from "../links.ts";
import { Empty } from "../parts/answer.tsx";
import { unavailableWords, WEEKDAYS } from "../words.ts";

type Heatmap = components["schemas"]["Heatmap"];

const LEVELS = 8;
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);
const MOVES: Record<string, [number, number]> = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] };

/** Weekday by hour. One cell is in the order of the Tab key, the arrow keys go from one to another. */
export function HeatmapPanel({ heatmap }: { heatmap: Heatmap | undefined }) {
  if (heatmap === undefined) return null;
  const known = heatmap.values.flat().filter((value) => value !== null);
  return (
    <section className="panel-box heat" aria-labelledby="heat-title">
      <header>
        <h2 id="heat-title">{heatmap.label} by weekday and hour</h2>
        {known.length > 0 && (
          <p className="scale">
            {formatShort(Math.min(...known), heatmap.unit)}
            <span className="ramp" aria-hidden="true">
              {Array.from({ length: LEVELS }, (_, level) => (
                <i key={level} data-level={level + 1} />
              ))}
            </span>
            {formatShort(Math.max(...known), heatmap.unit)}
          </p>
        )}
      </header>
      {!heatmap.available ? (
        <Empty>{unavailableWords(heatmap.reason)}.</Empty>
      ) : known.length === 0 ? (
        <Empty>No calls in this window.</Empty>
      ) : (
        <Grid heatmap={heatmap} low={Math.min(...known)} high={Math.max(...known)} />
      )}
    </section>
  );
}

function Grid({ heatmap, low, high }: { heatmap: Heatmap; low: number; high: number }) {
  const table = useRef<HTMLTableElement>(null);
  const [[row, column], setFocus] = useState<readonly [number, number]>([0, 9]);
  const [, navigate] = useLocation();
  const follow = (weekday: number, hour: number) => {
    const page = callsPage(heatmap.links.calls?.[weekday]?.[hour] ?? null);
    if (page !== null) navigate(page);
  };
  const move = (event: KeyboardEvent) => {
    const [down, right] = MOVES[event.key] ?? [0, 0];
    if (down === 0 && right === 0) return;
    event.preventDefault();
    const next = [clamp(row + down, 6), clamp(column + right, 23)] as const;
    setFocus(next);
    table.current?.querySelector<HTMLElement>(`[data-cell="${next.join()}"]`)?.focus();
  };
  return (
    <div className="scroller">
      <table className="heat-grid" ref={table} onKeyDown={move} role="grid" aria-labelledby="heat-title">
        <thead>
          <tr>
            <td />
            {HOURS.map((hour) => (
              <th scope="col" key={hour} aria-label={hourName(hour)}>
                <span data-third={hour % 3 === 0}>{hour}</span>
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {WEEKDAYS.map((day, weekday) => (
            <tr key={day}>
              <th scope="row">{day}</th>
              {HOURS.map((hour) => {
                const value = heatmap.values[weekday]?.[hour] ?? null;
                const words = `${day} ${hourName(hour)}: ${formatValue(value, heatmap.unit)}${heatmap.key === "calls" ? "" : `, of ${formatCount(heatmap.calls[weekday]?.[hour])} calls`}`;
                return (
                  <td
                    key={hour}
                    data-cell={`${weekday},${hour}`}
                    data-level={levelOf(value, low, high)}
                    tabIndex={weekday === row && hour === column ? 0 : -1}
                    title={words}
                    aria-label={words}
                    onFocus={() => setFocus([weekday, hour])}
                    onClick={() => follow(weekday, hour)}
                    onKeyDown={({ key }) => key === "Enter" && follow(weekday, hour)}
                  />
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function levelOf(value: number | null, low: number, high: number): number | undefined {
  if (value === null) return undefined;
  return high === low ? Math.ceil(LEVELS / 2) : Math.min(LEVELS, 1 + Math.floor(((value - low) / (high - low)) * LEVELS));
}

function hourName(hour: number): string {
  const two = (number: number) => String(number).padStart(2, "0");
  return `${two(hour)}:00–${two((hour + 1) % 24)}:00`;
}

function clamp(value: number, most: number): number {
  return Math.max(0, Math.min(most, value));
}
