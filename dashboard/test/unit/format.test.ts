import { expect, test } from "vitest";

import { dayAfter, dayAt, formatAge, formatMove, formatSeconds, formatValue, formatWindow, UNKNOWN } from "../../src/format.ts";

test("what is not known is never 0", () => {
  expect(formatValue(null, "count")).toBe(UNKNOWN);
  expect(formatValue(null, "percent")).toBe(UNKNOWN);
});

test.each([
  [0, "0.0 s"],
  [17.78, "17.8 s"],
  [59.96, "1:00"],
  [318, "5:18"],
  [3_599.7, "1.0 h"],
  [1_103_710, "307 h"],
])("%d seconds are %s", (seconds, text) => {
  expect(formatSeconds(seconds)).toBe(text);
});

test("rates move by points, everything else by percent", () => {
  const points = { absolute: -2.27, percent: null, direction: "down", good: false, reason: "percentage_points" } as const;
  const percent = { absolute: 52, percent: 1.363, direction: "up", good: null, reason: null } as const;

  expect(formatMove(points, "percent")).toMatchObject({ text: "2.3 pt", arrow: "▼", tone: "bad" });
  expect(formatMove(percent, "count")).toMatchObject({ text: "1.4%", arrow: "▲", tone: "neutral" });
});

test("a move that cannot be told says why", () => {
  const delta = { absolute: null, percent: null, direction: null, good: null, reason: "no_baseline" } as const;

  expect(formatMove(delta, "count")?.spoken).toBe("no comparison: no data in the window before");
});

test("a window is said with its last day, not the day after it", () => {
  expect(formatWindow({ from: "2026-09-24", to: "2026-10-01" })).toMatch(/^24\s–\s30 Sept? 2026$/);
});

test("a day is that of the zone", () => {
  expect(dayAt("2026-03-31T23:30:00Z", "Europe/Berlin")).toBe("2026-04-01");
  expect(dayAfter("2026-02-28")).toBe("2026-03-01");
});

test.each([
  [10, "just now"],
  [300, "5 min ago"],
  [7_200, "2 h ago"],
  [200_000, "2 d ago"],
])("%d seconds are %s", (seconds, text) => {
  expect(formatAge("2026-01-01T00:00:00Z", Date.parse("2026-01-01T00:00:00Z") + seconds * 1_000)).toBe(text);
});
