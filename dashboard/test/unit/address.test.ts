import { expect, test } from "vitest";

import { addressOf, changed, parseAddress, spellAddress } from "../../src/address.ts";
import { filtersOf, sharedSearch } from "../../src/filters.ts";
import { callsLink } from "../../src/links.ts";

test("a comma parts values, and one that belongs to a value does not", () => {
  expect(parseAddress("?region=North,South&region=A%2CB")).toEqual({ region: ["North", "South", "A,B"] });
});

test("what is spelled is read again as it was", () => {
  const address = { region: ["A,B", "Ü & Co", "100%"], q: ["a b"] };

  expect(parseAddress(spellAddress(address))).toEqual(address);
});

test("a query of the API is the address that asks it", () => {
  const query = { range: "7d", region: ["A,B", "C"], top: 10, compare: undefined };

  expect(spellAddress(addressOf(query))).toBe("?range=7d&region=A%2CB&region=C&top=10");
});

test("equal addresses are spelled alike, whatever their order", () => {
  expect(spellAddress({ b: ["2"], a: ["1"] })).toBe(spellAddress({ a: ["1"], b: ["2"] }));
});

test("a broken escape is taken as it is", () => {
  expect(parseAddress("?q=50%")).toEqual({ q: ["50%"] });
});

test("a change without values takes a parameter away", () => {
  expect(changed({ page: ["3"], region: ["North"] }, { page: undefined, region: [] })).toEqual({});
});

test("without a window it is the last 30 days", () => {
  expect(filtersOf({}).range).toBe("30d");
});

test("days go before a range, and only both of them are a window", () => {
  expect(filtersOf({ from: ["2026-01-01"], to: ["2026-02-01"], range: ["7d"] })).toMatchObject({ from: "2026-01-01" });
  expect(filtersOf({ from: ["2026-01-01"], range: ["7d"] })).toMatchObject({ range: "7d" });
});

test("a range that there is not is not asked for", () => {
  expect(filtersOf({ range: ["5d"] }).range).toBe("30d");
});

test("going to another page keeps the filters, and not what belongs to this page", () => {
  expect(sharedSearch({ region: ["North"], page: ["4"], metric: ["csat"] })).toBe("?region=North");
});

test("the calls of a member are those under the filters, of that member alone", () => {
  const filters = filtersOf({ region: ["North", "South"], channel: ["phone"], range: ["7d"] });

  expect(callsLink(filters, { region: "South" })).toBe("/calls?channel=phone&range=7d&region=South");
});
