import type { AgentsQuery, CallsQuery, MetricsQuery, OptionsQuery } from "@supportapi/client/react";
import { useCallback, useMemo } from "react";
import { useLocation, useSearch } from "wouter";

import { type Address, changed, parseAddress, spellAddress } from "./address.ts";

export type Range = NonNullable<MetricsQuery["range"]>;
export type Compare = NonNullable<MetricsQuery["compare"]>;
export type Grain = NonNullable<MetricsQuery["grain"]>;

export const RANGES = ["7d", "30d", "90d", "365d", "mtd", "ytd", "all"] as const satisfies readonly Range[];
export const COMPARES = [
  "previous",
  "previous_week",
  "previous_month",
  "previous_year",
  "none",
] as const satisfies readonly Compare[];
export const GRAINS = ["hour", "day", "week", "month"] as const satisfies readonly Grain[];
export const DIMENSIONS = ["region", "issue_type", "channel", "agent_id"] as const;
const USUAL_RANGE: Range = "30d";
export type Dimension = (typeof DIMENSIONS)[number];

/** The parameters that every page keeps when one goes from one to another. */
const SHARED = ["range", "from", "to", "timezone", "compare", ...DIMENSIONS] as const;
/** What may change while the list stays the same: where one is in it, and what is shown of it. */
const SAME_LIST: readonly string[] = ["page", "cursor", "fields", "call", "agent"];
const DAY = /^\d{4}-\d{2}-\d{2}$/;

export interface Filters {
  range?: Range;
  from?: string;
  to?: string;
  timezone?: string;
  compare?: Compare;
  region: readonly string[];
  issue_type: readonly string[];
  channel: readonly string[];
  agent_id: readonly string[];
}

export function filtersOf(address: Address): Filters {
  const from = dayOf(address.from);
  const to = dayOf(address.to);
  const days = from !== undefined && to !== undefined ? { from, to } : {};
  const range = days.from === undefined ? (oneOf(RANGES, address.range) ?? USUAL_RANGE) : undefined;
  return {
    ...days,
    ...(range && { range }),
    ...(address.timezone?.[0] && { timezone: address.timezone[0] }),
    ...(oneOf(COMPARES, address.compare) && { compare: oneOf(COMPARES, address.compare) }),
    region: address.region ?? [],
    issue_type: address.issue_type ?? [],
    channel: address.channel ?? [],
    agent_id: address.agent_id ?? [],
  };
}

/** The first value, if it is one of `choices`. */
export function oneOf<T extends string>(choices: readonly T[], values: readonly string[] | undefined): T | undefined {
  return choices.find((choice) => choice === values?.[0]);
}

function dayOf(values: readonly string[] | undefined): string | undefined {
  return values?.[0] !== undefined && DAY.test(values[0]) ? values[0] : undefined;
}

/** The question about options: a window and what is kept, without the comparison. */
export function optionsQueryOf(filters: Filters): OptionsQuery {
  const { compare: _, region, issue_type, channel, agent_id, ...rest } = filters;
  return { ...rest, ...members({ region, issue_type, channel, agent_id }) };
}

export function agentsQueryOf(filters: Filters): AgentsQuery {
  return { ...optionsQueryOf(filters), ...(filters.compare && { compare: filters.compare }) };
}

export function metricsQueryOf(filters: Filters): MetricsQuery {
  return agentsQueryOf(filters);
}

export function callsQueryOf(filters: Filters): CallsQuery {
  return optionsQueryOf(filters);
}

function members(kept: Record<Dimension, readonly string[]>): Partial<Record<Dimension, string[]>> {
  return Object.fromEntries(DIMENSIONS.filter((name) => kept[name].length > 0).map((name) => [name, [...kept[name]]]));
}

/** What of the address other pages share: where a tab of the navigation leads to. */
export function sharedSearch(address: Address): string {
  return spellAddress(Object.fromEntries(SHARED.flatMap((name) => (address[name] ? [[name, address[name]]] : []))));
}

export type Change = (changes: Record<string, readonly string[] | string | undefined>, options?: { replace: boolean }) => void;

export interface Place {
  address: Address;
  filters: Filters;
  change: Change;
}

/** The page's address, understood, and how to change it. A list that becomes another one begins at its top. */
export function usePlace(): Place {
  const search = useSearch();
  const [path, navigate] = useLocation();
  const address = useMemo(() => parseAddress(search), [search]);
  const filters = useMemo(() => filtersOf(address), [address]);
  const change = useCallback<Change>(
    (changes, options) => {
      const top = Object.keys(changes).every((name) => SAME_LIST.includes(name)) ? {} : { page: undefined, cursor: undefined };
      navigate(path + spellAddress(changed(address, { ...top, ...changes })), options);
    },
    [address, path, navigate],
  );
  return { address, filters, change };
}
