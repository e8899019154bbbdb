import { type CallsQuery, useCalls } from "@supportapi/client/react";

import { callsQueryOf, oneOf, usePlace } from "../filters.ts";
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
  const page = pageOf(address.page);
  const columns = chosenColumns(address.fields);
  const calls = useCalls({ ...callsQueryOf(filters), ...narrowingOf(address), sort, page, per_page: PER_PAGE });
  const opened = address.call?.[0];
  return (
    <>
      <h1 className="unseen">Calls</h1>
      <section className="panel-box" aria-labelledby="calls-title">
        <header>
          <h2 id="calls-title">Calls</h2>
          <Tools place={place} columns={columns} />
        </header>
        <Answer query={calls} waiting={<Skeleton height="70vh" />}>
          {({ data, meta }) => (
            <>
              {data.length === 0 ? (
                <Empty>No call is like that in this window.</Empty>
              ) : (
                <div className="scroller" tabIndex={0} role="group" aria-labelledby="calls-title">
                  <table className="calls">
                    <thead>
                      <tr>
                        {columns.map((column) => (
                          <Heading key={column.key} column={column} sort={sort} onSort={(next) => change({ sort: next, page: undefined }, { replace: true })} />
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
                <Pager page={page} perPage={PER_PAGE} total={meta.total} what="calls" onPage={(next) => change({ page: String(next) })} />
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
