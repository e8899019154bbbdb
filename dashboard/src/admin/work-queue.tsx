import type { components } from "@supportapi/client";
import { queueQuery, useSupportApi } from "@supportapi/client/react";
import { useQuery } from "@tanstack/react-query";

import { formatCount, formatMoment, formatSeconds } from "../format.ts";
import { Answer, Skeleton } from "../parts/answer.tsx";

type Queue = components["schemas"]["WorkQueue"];

const LOOK_MILLISECONDS = 3_000;

/** What waits to be done, and whether there is anybody to do it. */
export function WorkQueue() {
  const queue = useQuery({ ...queueQuery(useSupportApi()), refetchInterval: LOOK_MILLISECONDS });
  return (
    <section className="panel-box" aria-labelledby="queue-title">
      <header>
        <h2 id="queue-title">Queue and workers</h2>
      </header>
      <Answer query={queue} waiting={<Skeleton height="10rem" />}>
        {({ data }) => (
          <>
            <Watcher watcher={data.watcher} />
            <p data-waiting={data.waiting}>{data.waiting === 0 ? "No job waits." : data.waiting === 1 ? "One job waits." : `${formatCount(data.waiting)} jobs wait.`}</p>
            {data.workers.length === 0 ? <p className="state bad">No worker lives: what is asked for is not done.</p> : <Workers workers={data.workers} />}
          </>
        )}
      </Answer>
    </section>
  );
}

function Watcher({ watcher }: { watcher: Queue["watcher"] }) {
  if (watcher === null) return <p className="state bad">No watcher has looked at the dataset yet.</p>;
  return (
    <p className={watcher.silent ? "state bad" : undefined}>
      Watcher <span className="mono">{watcher.name}</span>{" "}
      {watcher.silent ? `is silent since ${formatMoment(watcher.seen_at, "UTC", { seconds: true })}.` : `looks on every event, and every ${formatSeconds(watcher.interval_seconds)}.`}
    </p>
  );
}

function Workers({ workers }: { workers: Queue["workers"] }) {
  return (
    <div className="scroller" tabIndex={0} role="group" aria-labelledby="queue-title">
      <table>
        <thead>
          <tr>
            <th scope="col">Worker</th>
            <th scope="col">Host</th>
            <th scope="col" className="number">
              Process
            </th>
            <th scope="col">Works on</th>
            <th scope="col">Heard of</th>
          </tr>
        </thead>
        <tbody>
          {workers.map((worker) => (
            <tr key={worker.name} data-worker={worker.name}>
              <th scope="row" className="mono">
                {worker.name}
              </th>
              <td>{worker.host}</td>
              <td className="number">{worker.process_id}</td>
              <td className={worker.job_id === null ? "quiet" : "mono"}>{worker.job_id ?? "nothing"}</td>
              <td>{formatMoment(worker.seen_at, "UTC", { seconds: true })}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
