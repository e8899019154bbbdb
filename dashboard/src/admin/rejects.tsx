import type { components } from "@supportapi/client";
import { rejectsQuery, useManifest, useSupportApi } from "@supportapi/client/react";
import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { formatCount, formatMoment, formatSeconds } from "../format.ts";
import { Answer, Empty, Skeleton } from "../parts/answer.tsx";

type Ingest = components["schemas"]["LastIngest"];

const LOOK_MILLISECONDS = 15_000;
const ROWS = 20;

/** What the last ingest did with every row of its files, and the rows that it could not take, as they stood there. */
export function Rejects() {
  const [reason, setReason] = useState<string>();
  const rejects = useQuery({ ...rejectsQuery(useSupportApi(), { limit: ROWS, ...(reason !== undefined && { reason }) }), refetchInterval: LOOK_MILLISECONDS });
  return (
    <section className="panel-box" aria-labelledby="rejects-title">
      <header>
        <h2 id="rejects-title">Last ingest</h2>
      </header>
      <Answer query={rejects} waiting={<Skeleton height="12rem" />}>
        {({ data }) =>
          data === null ? (
            <Empty>No ingest has left its report beside the manifest: the dataset was written by something else.</Empty>
          ) : (
            <>
              <Outcome ingest={data} />
              {data.rejected === 0 ? (
                <Empty>Every row could be taken: there are no rejects.</Empty>
              ) : (
                <>
                  <Reasons ingest={data} chosen={reason} onChoose={setReason} />
                  <Rows rows={data.rows} />
                </>
              )}
            </>
          )
        }
      </Answer>
    </section>
  );
}

function Outcome({ ingest }: { ingest: Ingest }) {
  const live = useManifest().data?.data.hash;
  const when = formatMoment(ingest.ended_at, "UTC", { seconds: true });
  if (ingest.outcome === "refused") {
    return (
      <p className="state bad" data-outcome="refused">
        Refused on {when}: {formatCount(ingest.rejected)} rows were rejected, more than may be. The dataset is the one from before.
      </p>
    );
  }
  const others = [
    [ingest.duplicates, "repeat a call"],
    [ingest.filtered, "are left out by the mapping"],
    [ingest.folded, "are in the call of another row"],
  ] as const;
  return (
    <>
      <p data-outcome="written">
        On {when}, in {formatSeconds(ingest.seconds)}: of {formatCount(ingest.read)} rows of {ingest.files?.join(", ")} <b>{formatCount(ingest.written)}</b> became calls,{" "}
        <b className={ingest.rejected > 0 ? "bad" : undefined}>{formatCount(ingest.rejected)}</b> were rejected
        {others.map(([rows, what]) => rows !== null && rows > 0 && `, ${formatCount(rows)} ${what}`)}.
      </p>
      {Object.keys(ingest.altered_by_reason ?? {}).length > 0 && (
        <p className="quiet small">
          Values that were made null:{" "}
          {Object.entries(ingest.altered_by_reason ?? {})
            .map(([why, count]) => `${formatCount(count)} ${why}`)
            .join(", ")}
          .
        </p>
      )}
      {live != null && live !== ingest.dataset_hash && <p className="quiet small">The live dataset is another one: something else has written it since.</p>}
    </>
  );
}

function Reasons({ ingest, chosen, onChoose }: { ingest: Ingest; chosen: string | undefined; onChoose: (reason: string | undefined) => void }) {
  return (
    <ul className="tools reasons" aria-label="Rejected rows by reason: choose one to see its rows">
      {Object.entries(ingest.rejected_by_reason).map(([reason, count]) => (
        <li key={reason}>
          <button type="button" aria-pressed={reason === chosen} onClick={() => onChoose(reason === chosen ? undefined : reason)}>
            <code>{reason}</code> {formatCount(count)}
          </button>
        </li>
      ))}
    </ul>
  );
}

function Rows({ rows }: { rows: Ingest["rows"] }) {
  return (
    <div className="scroller tall" tabIndex={0} role="group" aria-label="The first rejected rows">
      <table className="rejects">
        <thead>
          <tr>
            <th scope="col">File</th>
            <th scope="col" className="number">
              Line
            </th>
            <th scope="col">Reason</th>
            <th scope="col">What stood there</th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row, at) => (
            <tr key={`${row.file}:${row.line}:${at}`}>
              <th scope="row">{row.file}</th>
              <td className="number">{formatCount(row.line)}</td>
              <td>
                <code>{row.reason}</code>
              </td>
              <td className="told">
                {Object.entries(row.original).map(([column, value]) => (
                  <span key={column} className="pair">
                    <span className="quiet">{column}</span> {value === null || value === "" ? <span className="quiet">empty</span> : String(value)}
                  </span>
                ))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
