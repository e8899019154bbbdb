import { ApiError, type components } from "@supportapi/client";
import { type CallsQuery, useCalls, useFilterOptions } from "@supportapi/client/react";
import { Link } from "wouter";

import { changed, parseAddress, spellAddress } from "../address.ts";
import { callsQueryOf, oneOf, optionsQueryOf, type Place, usePlace } from "../filters.ts";
import { Answer, Empty, Skeleton } from "../parts/answer.tsx";
import { Drawer } from "../parts/drawer.tsx";
import { Pager, pageOf } from "../parts/pager.tsx";
import { SortedHeading } from "../parts/sorting.tsx";
import { COLUMNS, type Column, type Call, USUAL } from "./columns.tsx";
import { narrowingOf } from "./narrowing.ts";
import { CallSheet } from "./sheet.tsx";
import { Tools } from "./tools.tsx";

const PER_PAGE = 50;
const SORTS = ["started_at", "duration", "wait", "rating", "agent"].flatMap((key) => [key, `-${key}`]) as NonNullable<CallsQuery["sort"]>[];

export default function Calls() {
  const place = usePlace();
  const { address, filters, change } = place;
  const sort = oneOf(SORTS, address.sort) ?? "-started_at";
  const cursor = address.cursor?.[0];
  const columns = chosenColumns(address.fields);
  const calls = useCalls({
    ...callsQueryOf(filters),
    ...narrowingOf(address),
    sort,
    per_page: PER_PAGE,
    ...(cursor === undefined ? { page: pageOf(address.page) } : { cursor }),
  });
  const opened = address.call?.[0];
  return (
    <>
      <h1 className="unseen">Calls</h1>
      <section className="panel-box" aria-labelledby="calls-title">
        <header>
          <h2 id="calls-title">Calls</h2>
          <Tools place={place} columns={columns} />
        </header>
        {calls.error instanceof ApiError && calls.error.code === "CURSOR_EXPIRED" && <BeginAgain place={place} />}
        <Answer query={calls} waiting={<Skeleton height="70vh" />}>
          {({ data, meta, links }) => (
            <>
              {cursor !== undefined && <OlderVersion version={meta.version} place={place} />}
              {data.length === 0 ? (
                <Empty>No call is like that in this window.</Empty>
              ) : (
                <div className="scroller" tabIndex={0} role="group" aria-labelledby="calls-title">
                  <table className="calls">
                    <thead>
                      <tr>
                        {columns.map((column) => (
                          <Heading key={column.key} column={column} sort={sort} onSort={(next) => change({ sort: next }, { replace: true })} />
                        ))}
                      </tr>
                    </thead>
                    <tbody>
                      {(data as Call[]).map((call) => (
                        <Line key={call.call_id} call={call} columns={columns} timezone={meta.timezone} onOpen={() => change({ call: call.call_id })} />
                      ))}
                    </tbody>
                  </table>
                </div>
              )}
              <footer>
                <Pager page={meta.page} perPage={PER_PAGE} total={meta.total} atLeast={meta.total_is_lower_bound} what="calls" {...pagesOf(links, meta.page, place)} />
              </footer>
            </>
          )}
        </Answer>
      </section>
      {opened !== undefined && (
        <Drawer title="Call" onClose={() => change({ call: undefined })}>
          <CallSheet callId={opened} place={place} />
        </Drawer>
      )}
    </>
  );
}

/** Onwards by cursor: one version is read to its end, each call once, whatever is published meanwhile. */
function pagesOf(links: components["schemas"]["PageLinks"], page: number, { address }: Place) {
  const to = (link: string | null): string | null => {
    if (link === null) return null;
    const { page: number, cursor } = parseAddress(link.slice(link.indexOf("?")));
    return `/calls${spellAddress(changed(address, { page: number?.[0] === "1" ? undefined : number, cursor, call: undefined }))}`;
  };
  return { first: page > 1 ? to(links.first) : null, prev: to(links.prev), next: to(links.cursor), last: links.next === null ? null : to(links.last) };
}

/** Said while one walks through a version that others do not see any longer. */
function OlderVersion({ version, place }: { version: string; place: Place }) {
  const current = useFilterOptions(optionsQueryOf(place.filters)).data?.meta.version;
  if (current === undefined || current === version) return null;
  return (
    <p className="notice" role="status">
      New data was published since. This list goes on in version <span className="mono">{version.slice(0, 8)}</span>, in which it was begun. <FromTheTop place={place}>Show the newest</FromTheTop>
    </p>
  );
}

function BeginAgain({ place }: { place: Place }) {
  return (
    <p className="notice" role="status">
      <FromTheTop place={place}>Begin again with the newest data</FromTheTop>
    </p>
  );
}

function FromTheTop({ place: { address }, children }: { place: Place; children: string }) {
  return <Link href={`/calls${spellAddress(changed(address, { cursor: undefined, page: undefined }))}`}>{children}</Link>;
}

function chosenColumns(fields: readonly string[] | undefined): Column[] {
  const chosen: readonly string[] = fields ?? USUAL;
  const found = COLUMNS.filter(({ key }) => chosen.includes(key));
  return found.length > 0 ? found : COLUMNS.filter(({ key }) => USUAL.includes(key));
}

function Heading({ column, sort, onSort }: { column: Column; sort: string; onSort: (sort: string) => void }) {
  if (column.sort === undefined) {
    return (
      <th scope="col" className={column.number ? "number" : undefined}>
        {column.name}
      </th>
    );
  }
  return (
    <SortedHeading column={column.sort} sort={sort} first={column.sort === "agent" ? "up" : "down"} number={column.number === true} onSort={onSort}>
      {column.name}
    </SortedHeading>
  );
}

/** The whole row can be pressed; its first cell is the button for those who do not point. */
function Line({ call, columns, timezone, onOpen }: { call: Call; columns: Column[]; timezone: string; onOpen: () => void }) {
  return (
    <tr onClick={onOpen}>
      {columns.map((column, at) =>
        at === 0 ? (
          <th scope="row" key={column.key}>
            <button type="button" className="linked" title={call.call_id}>
              {column.show(call, timezone)}
            </button>
          </th>
        ) : (
          <td key={column.key} className={column.number ? "number" : undefined}>
            {column.show(call, timezone)}
          </td>
        ),
      )}
    </tr>
  );
}
