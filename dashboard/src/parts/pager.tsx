import { formatCount } from "../format.ts";

interface Given {
  page: number;
  perPage: number;
  total: number;
  what: string;
  onPage: (page: number) => void;
}

export function Pager({ page, perPage, total, what, onPage }: Given) {
  const last = Math.max(1, Math.ceil(total / perPage));
  const first = total === 0 ? 0 : (page - 1) * perPage + 1;
  return (
    <nav className="pager" aria-label="Pages of the list">
      <p aria-live="polite">
        {formatCount(first)}–{formatCount(Math.min(total, page * perPage))} of <b data-total={total}>{formatCount(total)}</b> {what}
      </p>
      <button type="button" disabled={page <= 1} onClick={() => onPage(1)} aria-label="First page">
        «
      </button>
      <button type="button" disabled={page <= 1} onClick={() => onPage(page - 1)}>
        Previous
      </button>
      <button type="button" disabled={page >= last} onClick={() => onPage(page + 1)}>
        Next
      </button>
      <button type="button" disabled={page >= last} onClick={() => onPage(last)} aria-label="Last page">
        »
      </button>
    </nav>
  );
}

/** The page that the address names. */
export function pageOf(values: readonly string[] | undefined): number {
  const page = Number(values?.[0] ?? 1);
  return Number.isInteger(page) && page >= 1 ? page : 1;
}
