import type { components } from "@supportapi/client";

export type Unit = components["schemas"]["KpiCard"]["unit"];
type Delta = components["schemas"]["Delta"];

/** What stands where a value is not known: never 0. */
export const UNKNOWN = "–";

const whole = new Intl.NumberFormat("en", { maximumFractionDigits: 0 });
const compact = new Intl.NumberFormat("en", { notation: "compact", maximumSignificantDigits: 3 });
const tenth = new Intl.NumberFormat("en", { minimumFractionDigits: 1, maximumFractionDigits: 1 });
const hundredth = new Intl.NumberFormat("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });

export function formatCount(value: number | null | undefined): string {
  return value == null ? UNKNOWN : whole.format(value);
}

/** For axes and cells, where there is little room. */
export function formatShort(value: number | null | undefined, unit: Unit): string {
  if (value == null) return UNKNOWN;
  if (unit === "count") return value >= 10_000 ? compact.format(value) : whole.format(value);
  if (unit === "percent") return `${whole.format(value)}%`;
  return formatValue(value, unit);
}

export function formatValue(value: number | null | undefined, unit: Unit): string {
  if (value == null) return UNKNOWN;
  if (unit === "count") return whole.format(value);
  if (unit === "percent") return `${tenth.format(value)}%`;
  if (unit === "rating") return hundredth.format(value);
  return formatSeconds(value);
}

/** `17.8 s` below a minute, `5:18` below an hour, `306 h` from there on. */
export function formatSeconds(seconds: number | null | undefined): string {
  if (seconds == null) return UNKNOWN;
  if (Math.abs(seconds) < 59.95) return `${tenth.format(seconds)} s`;
  const rounded = Math.round(seconds);
  if (rounded < 3_600) return `${Math.floor(rounded / 60)}:${String(rounded % 60).padStart(2, "0")}`;
  const hours = seconds / 3_600;
  return `${hours < 10 ? tenth.format(hours) : whole.format(hours)} h`;
}

export interface Move {
  text: string;
  arrow: "▲" | "▼" | "■" | "";
  tone: "good" | "bad" | "neutral";
  /** In whole words, for those who hear it. */
  spoken: string;
}

const REASONS: Record<NonNullable<Delta["reason"]>, string> = {
  no_baseline: "no data in the window before",
  no_value: "not known now",
  zero_baseline: "it was 0 before",
  partial_period: "the windows have unequally many days of data",
  percentage_points: "",
};

/** How a value moved: percent, or points for rates. Null where nothing is compared. */
export function formatMove(delta: Delta | null | undefined, unit: Unit): Move | null {
  if (delta == null) return null;
  const reason = delta.reason === null ? "" : REASONS[delta.reason];
  if (delta.absolute === null) return { text: UNKNOWN, arrow: "", tone: "neutral", spoken: `no comparison: ${reason}` };
  const arrow = delta.direction === "up" ? "▲" : delta.direction === "down" ? "▼" : "■";
  const tone = delta.good === null ? "neutral" : delta.good ? "good" : "bad";
  const text = moveText(delta, unit);
  const way = delta.direction === "up" ? "up" : delta.direction === "down" ? "down" : "unchanged";
  const verdict = tone === "neutral" ? "" : tone === "good" ? ", for the better" : ", for the worse";
  return { text, arrow, tone, spoken: `${way} ${text}${verdict}${reason && ` (${reason})`}` };
}

function moveText(delta: Delta, unit: Unit): string {
  if (delta.percent !== null) return `${tenth.format(Math.abs(delta.percent))}%`;
  const size = Math.abs(delta.absolute ?? 0);
  return unit === "percent" ? `${tenth.format(size)} pt` : formatValue(size, unit);
}

export function percentOf(part: number | null): string {
  return part === null ? UNKNOWN : `${tenth.format(part)}%`;
}

// -- time ----------------------------------------------------------------------------------------------------------

const formats = new Map<string, Intl.DateTimeFormat>();

function dateFormat(timeZone: string, options: Intl.DateTimeFormatOptions): Intl.DateTimeFormat {
  const key = JSON.stringify([timeZone, options]);
  const known = formats.get(key) ?? new Intl.DateTimeFormat("en-GB", { timeZone, ...options });
  formats.set(key, known);
  return known;
}

/** A moment on the clock of the reporting zone. */
export function formatMoment(instant: string | Date, timeZone: string, options: { seconds?: boolean } = {}): string {
  return dateFormat(timeZone, {
    day: "numeric",
    month: "short",
    year: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    ...(options.seconds && { second: "2-digit" }),
  }).format(new Date(instant));
}

export function formatDay(instant: string | Date, timeZone: string, options: { year?: boolean } = {}): string {
  return dateFormat(timeZone, {
    day: "numeric",
    month: "short",
    ...(options.year && { year: "numeric" }),
  }).format(new Date(instant));
}

export function formatHour(instant: string | Date, timeZone: string): string {
  return dateFormat(timeZone, { hour: "2-digit", minute: "2-digit" }).format(new Date(instant));
}

/** The day of an instant, as the API spells days. */
export function dayAt(instant: string | Date, timeZone: string): string {
  const parts = dateFormat(timeZone, { year: "numeric", month: "2-digit", day: "2-digit" }).formatToParts(new Date(instant));
  const part = (type: string) => parts.find((found) => found.type === type)?.value ?? "";
  return `${part("year")}-${part("month")}-${part("day")}`;
}

export function dayAfter(day: string, days = 1): string {
  const at = new Date(`${day}T00:00:00Z`);
  at.setUTCDate(at.getUTCDate() + days);
  return at.toISOString().slice(0, 10);
}

/** `1 – 30 Sep 2026`, of a half-open window. */
export function formatWindow(window: { from: string; to: string }): string {
  const first = new Date(`${window.from}T00:00:00Z`);
  const last = new Date(`${dayAfter(window.to, -1)}T00:00:00Z`);
  return dateFormat("UTC", { day: "numeric", month: "short", year: "numeric" }).formatRange(first, last).replaceAll(" ", " ");
}

/** How long ago, in the largest unit that says enough. */
export function formatAge(instant: string, now: number): string {
  const seconds = Math.max(0, (now - Date.parse(instant)) / 1_000);
  if (seconds < 45) return "just now";
  if (seconds < 5_400) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 129_600) return `${Math.round(seconds / 3_600)} h ago`;
  return `${Math.round(seconds / 86_400)} d ago`;
}
