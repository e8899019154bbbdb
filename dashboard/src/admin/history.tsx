import type { Job } from "@supportapi/client";
import { useJobs } from "@supportapi/client/react";

import { formatMoment, formatSeconds, UNKNOWN } from "../format.ts";
import { Answer, Empty, Skeleton } from "../parts/answer.tsx";

const SHOWN = 30;

/** What builds and refreshes do now, as they say it themselves, and how the earlier ones ended. */
export function History() {
  const jobs = useJobs(SHOWN);
  return (
    <section className="panel-box" aria-labelledby="history-title">
      <header>
        <h2 id="history-title">Builds and refreshes</h2>
      </header>
      <Answer query={jobs} waiting={<Skeleton height="14rem" />}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty>Nothing was built yet.</Empty>
          ) : (
            <div className="scroller" tabIndex={0} role="group" aria-labelledby="history-title">
              <table className="jobs">
                <thead>
                  <tr>
                    <th scope="col">Job</th>
                    <th scope="col">State</th>
                    <th scope="col">Asked for</th>
                    <th scope="col" className="number">
                      Took
                    </th>
                    <th scope="col">Stages, and what came of it</th>
                  </tr>
                </thead>
                <tbody>
                  {data.map((job) => (
                    <Line key={job.id} job={job} />
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Answer>
    </section>
  );
}

function Line({ job }: { job: Job }) {
  const stages = Object.entries(job.stage_seconds).map(([stage, seconds]) => `${stage} ${formatSeconds(seconds)}`);
  return (
    <tr data-job={job.kind} data-state={job.state}>
      <th scope="row">
        {job.kind === "build" ? "Build" : "Refresh"}
        {job.version !== null && <span className="quiet mono"> {job.version.slice(0, 8)}</span>}
      </th>
      <td>
        <State job={job} />
      </td>
      <td>
        {formatMoment(job.created_at, "UTC", { seconds: true })} <span className="quiet">by {job.requested_by}</span>
      </td>
      <td className="number">{took(job)}</td>
      <td className="told">
        {job.reason !== null && (
          <p className={job.state === "failed" ? "bad" : "quiet"}>
            <code>{job.reason.code}</code> {job.reason.message}
          </p>
        )}
        {stages.length > 0 && <p className="quiet small">{stages.join(" · ")}</p>}
      </td>
    </tr>
  );
}

function State({ job }: { job: Job }) {
  if (job.state !== "running") return <span className={job.state === "failed" ? "badge watch" : "badge"}>{job.state}</span>;
  const name = `${job.kind === "build" ? "Build" : "Refresh"}: ${job.stage ?? "begins"}`;
  return (
    <span className="progress">
      <progress value={job.progress} max={1} aria-label={name} />
      <span>{job.stage ?? "begins"}</span>
    </span>
  );
}

function took({ started_at: began, ended_at: ended }: Job): string {
  return began === null || ended === null ? UNKNOWN : formatSeconds((Date.parse(ended) - Date.parse(began)) / 1_000);
}
