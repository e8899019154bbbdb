import { Link } from "wouter";

import { formatCount } from "../format.ts";

interface Given {
  page: number;
  perPage: number;
  total: number;
  /** Whether there may be more than `total`. */
  atLeast?: boolean;
  what: string;
  /** Where the pages are; null where there is none. */
  first: string | null;
  prev: string | null;
  next: string | null;
  last: string | null;
}

/** Which part of a list is shown, and the way to the others: links, so that a page can be opened beside this one. */
export function Pager({ page, perPage, total, atLeast = false, what, first, prev, next, last }: Given) {
  const begins = total === 0 ? 0 : (page - 1) * perPage + 1;
  return (
    <nav className="pager" aria-label="Pages of the list">
      <p aria-live="polite">
        {formatCount(begins)}–{formatCount(Math.min(total, page * perPage))} of {atLeast && "at least "}
        <b data-total={total}>{formatCount(total)}</b> {what}
      </p>
      <To page={first} name="First page">
        «
      </To>
      <To page={prev}>Previous</To>
      <To page={next}>Next</To>
      <To page={last} name="Last page">
        »
      </To>
    </nav>
  );
}

function To({ page, name, children }: { page: string | null; name?: string; children: string }) {
  if (page === null) {
    return (
      <button type="button" disabled aria-label={name}>
        {children}
      </button>
    );
  }
  return (
    <Link className="button" href={page} aria-label={name}>
      {children}
    </Link>
  );
}

/** The page that the address names. */
export function pageOf(values: readonly string[] | undefined): number {
  const page = Number(values?.[0] ?? 1);
  return Number.isInteger(page) && page >= 1 ? page : 1;
}
