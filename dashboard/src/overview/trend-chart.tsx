import { AxisBottom, AxisLeft } from "@visx/axis";
import { GridRows } from "@visx/grid";
import { scaleLinear, scalePoint } from "@visx/scale";
import { AreaClosed, LinePath } from "@visx/shape";
import { type KeyboardEvent, type PointerEvent, useState } from "react";
import { useLocation } from "wouter";

import { formatShort, formatValue, type Unit } from "../format.ts";
import { useWidth } from "../parts/width.ts";
import type { Point } from "./trend.tsx";

const HEIGHT = 260;
const MARGIN = { top: 12, right: 12, bottom: 26, left: 46 };
/** So high at least is a chart of counts: its lines stand at whole numbers. */
const FEWEST = 4;
const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -7, PageDown: 7 };

interface Given {
  points: Point[];
  label: string;
  unit: Unit;
  compared: boolean;
}

/**
 * The window as a line, the one before it as a dashed one. A pointer or the arrow keys move along the buckets; a press
 * or Enter shows the calls of one.
 */
export function TrendChart({ points, label, unit, compared }: Given) {
  const [frame, width] = useWidth<HTMLDivElement>();
  const [at, setAt] = useState<number | null>(null);
  const [, navigate] = useLocation();
  const inner = Math.max(0, width - MARGIN.left - MARGIN.right);
  const x = scalePoint({ domain: points.map((_, index) => index), range: [0, inner] });
  const y = scaleLinear({ domain: extent(points, unit, compared), range: [HEIGHT - MARGIN.top - MARGIN.bottom, 0], nice: 4 });
  const floor = y.range()[0] ?? 0;
  const place = (_: Point, index: number) => x(index) ?? 0;
  const shown = at === null ? undefined : points[at];

  const nearest = ({ clientX, currentTarget }: PointerEvent<Element>): number => {
    const left = clientX - currentTarget.getBoundingClientRect().left - MARGIN.left;
    return Math.max(0, Math.min(points.length - 1, Math.round((left / (inner || 1)) * (points.length - 1))));
  };
  const follow = () => shown?.link != null && navigate(shown.link);
  const press = (event: KeyboardEvent) => {
    if (event.key === "Enter") follow();
    const next = { Home: 0, End: points.length - 1 }[event.key] ?? (at ?? points.length - 1) + (STEPS[event.key] ?? Number.NaN);
    if (Number.isNaN(next)) return;
    event.preventDefault();
    setAt(Math.max(0, Math.min(points.length - 1, next)));
  };

  return (
    <div
      ref={frame}
      className="chart"
      tabIndex={0}
      role="slider"
      aria-label={`${label}: arrow keys move along, Enter shows the calls`}
      aria-valuemin={0}
      aria-valuemax={Math.max(0, points.length - 1)}
      aria-valuenow={at ?? Math.max(0, points.length - 1)}
      aria-valuetext={spoken(shown ?? points.at(-1), unit, compared)}
      onKeyDown={press}
      onFocus={() => setAt((before) => before ?? points.length - 1)}
      onBlur={() => setAt(null)}
      onPointerMove={(event) => setAt(nearest(event))}
      onPointerLeave={() => setAt(null)}
      onClick={follow}
    >
      {width > 0 && points.length > 0 && (
        <svg width={width} height={HEIGHT} aria-hidden="true">
          <g transform={`translate(${MARGIN.left},${MARGIN.top})`}>
            <GridRows scale={y} width={inner} numTicks={4} className="grid" />
            <AxisLeft scale={y} numTicks={4} hideAxisLine hideTicks tickFormat={(value) => formatShort(Number(value), unit)} tickLabelProps={{ className: "tick", dx: -4, dy: 4, textAnchor: "end" }} />
            <AxisBottom scale={x} top={floor} hideTicks axisLineClassName="axis" tickValues={ticks(points.length, inner)} tickFormat={(index) => points[Number(index)]?.short ?? ""} tickLabelProps={{ className: "tick", textAnchor: "middle" }} />
            {compared && <LinePath className="line before" data={points} x={place} y={({ previous }) => y(previous ?? 0)} defined={({ previous }) => previous !== null} />}
            <AreaClosed className="area" data={points} yScale={y} x={place} y={({ value }) => y(value ?? 0)} defined={({ value }) => value !== null} />
            <LinePath className="line now" data={points} x={place} y={({ value }) => y(value ?? 0)} defined={({ value }) => value !== null} />
            {at !== null && shown !== undefined && (
              <g className="cursor">
                <line x1={x(at)} x2={x(at)} y1={0} y2={floor} />
                {compared && shown.previous !== null && <circle className="before" cx={x(at)} cy={y(shown.previous)} r={3.5} />}
                {shown.value !== null && <circle className="now" cx={x(at)} cy={y(shown.value)} r={4.5} />}
              </g>
            )}
          </g>
        </svg>
      )}
      {at !== null && shown !== undefined && (
        <div className="tip" aria-hidden="true" data-side={at > points.length / 2 ? "left" : "right"} style={{ left: MARGIN.left + (x(at) ?? 0) }}>
          <b>{shown.name}</b>
          <span className="now">{formatValue(shown.value, unit)}</span>
          {compared && <span className="before">{formatValue(shown.previous, unit)} before</span>}
        </div>
      )}
    </div>
  );
}

function spoken(point: Point | undefined, unit: Unit, compared: boolean): string {
  if (point === undefined) return "no data";
  return `${point.name}: ${formatValue(point.value, unit)}${compared ? `, ${formatValue(point.previous, unit)} before` : ""}`;
}

/** Counts begin at 0: their height is their size. The others show how they move. */
function extent(points: Point[], unit: Unit, compared: boolean): [number, number] {
  const values = points.flatMap(({ value, previous }) => (compared ? [value, previous] : [value])).filter((value) => value !== null);
  if (values.length === 0) return [0, 1];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  if (unit === "count") return [0, Math.max(high, FEWEST)];
  const room = (high - low || high || 1) * 0.15;
  const top = unit === "percent" ? Math.min(100, high + room) : high + room;
  return [Math.max(0, low - room), top];
}

function ticks(count: number, width: number): number[] {
  const step = Math.max(1, Math.ceil(count / Math.max(2, Math.floor(width / 78))));
  return Array.from({ length: Math.ceil(count / step) }, (_, index) => index * step);
}
