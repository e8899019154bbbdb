/**
 * What a page shows is said by its address, in the API's own parameter names: a question can be copied from the one to
 * the other, and a link that the API gives for a number is a page of calls.
 */
export type Address = Readonly<Record<string, readonly string[]>>;

/** Raw, not by URLSearchParams: a comma parts values only where it is not percent-encoded. */
export function parseAddress(search: string): Address {
  const found: Record<string, string[]> = {};
  for (const pair of search.replace(/^\?/, "").split("&")) {
    const [name = "", raw = ""] = split(pair);
    if (name !== "" && raw !== "") found[name] = [...(found[name] ?? []), ...raw.split(",").filter(Boolean).map(decode)];
  }
  return found;
}

/** The search part of an address, `?` included; empty for no parameters. Equal addresses are spelled alike. */
export function spellAddress(address: Address): string {
  const pairs = Object.keys(address)
    .sort()
    .flatMap((name) => (address[name] ?? []).map((value) => `${name}=${encodeURIComponent(value)}`));
  return pairs.length > 0 ? `?${pairs.join("&")}` : "";
}

/** `address` with `changes`: no values, or undefined, take a parameter away. */
export function changed(address: Address, changes: Record<string, readonly string[] | string | undefined>): Address {
  const next: Record<string, readonly string[]> = { ...address };
  for (const [name, value] of Object.entries(changes)) {
    const values = typeof value === "string" ? [value] : (value ?? []);
    if (values.length > 0) next[name] = values;
    else delete next[name];
  }
  return next;
}

/** The address that asks what a query of the API asks. */
export function addressOf(query: object): Address {
  return Object.fromEntries(
    Object.entries(query).flatMap(([name, value]: [string, unknown]) => {
      if (value === undefined) return [];
      return [[name, Array.isArray(value) ? value.map(String) : [String(value)]]];
    }),
  );
}

function split(pair: string): [string, string] {
  const at = pair.indexOf("=");
  return at < 0 ? [decode(pair), ""] : [decode(pair.slice(0, at)), pair.slice(at + 1)];
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll("+", " "));
  } catch {
    return text;
  }
}
