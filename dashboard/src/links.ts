import { type Address, changed, spellAddress } from "./address.ts";
import { DIMENSIONS, type Filters } from "./filters.ts";

/** The page of the calls that a link of the API lists; null where it has none. */
export function callsPage(link: string | null): string | null {
  return link === null ? null : link.replace(/^\/api/, "");
}

/** The page of the calls that `filters` keep, narrowed by `narrowing`: both in the API's own parameters. */
export function callsLink(filters: Filters, narrowing: Record<string, readonly string[] | string | undefined> = {}): string {
  const { range, from, to, timezone } = filters;
  const kept: Address = Object.fromEntries(DIMENSIONS.filter((name) => filters[name].length > 0).map((name) => [name, filters[name]]));
  return `/calls${spellAddress(changed(changed(kept, { range, from, to, timezone }), narrowing))}`;
}
