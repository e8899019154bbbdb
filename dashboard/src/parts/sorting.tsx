import type { ReactNode } from "react";

interface Given<Key extends string> {
  column: Key;
  sort: string;
  /** Which way the first press sorts. */
  first: "up" | "down";
  number?: boolean;
  onSort: (sort: Key | `-${Key}`) => void;
  children: ReactNode;
}

/** A column heading that sorts: `sort` is spelled as the API does, with a leading `-` downwards. */
export function SortedHeading<Key extends string>({ column, sort, first, number = false, onSort, children }: Given<Key>) {
  const down = sort === `-${column}`;
  const up = sort === column;
  const next = down ? column : up ? (`-${column}` as const) : first === "down" ? (`-${column}` as const) : column;
  return (
    <th scope="col" className={number ? "number" : undefined} aria-sort={down ? "descending" : up ? "ascending" : undefined}>
      <button type="button" className="sorter" onClick={() => onSort(next)}>
        {children}
        <span aria-hidden="true">{down ? "▼" : up ? "▲" : ""}</span>
      </button>
    </th>
  );
}
