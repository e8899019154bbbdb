import { answered, type components } from "@supportapi/client";
import { manifestQuery, rememberJob, useSupportApi } from "@supportapi/client/react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { formatCount, formatMoment, UNKNOWN } from "../format.ts";
import { Answer, Skeleton } from "../parts/answer.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { STALE_WORDS } from "../words.ts";

type Seen = components["schemas"]["SeenManifest"];

/** Freshness changes without a publish: a build that failed, a watcher that went silent. */
const LOOK_MILLISECONDS = 3_000;

export function LiveData() {
  const api = useSupportApi();
  const manifest = useQuery({ ...manifestQuery(api), refetchInterval: LOOK_MILLISECONDS });
  const [asking, setAsking] = useState(false);
  return (
    <section className="panel-box" aria-labelledby="live-title">
      <header>
        <h2 id="live-title">Live data</h2>
        <button type="button" onClick={() => setAsking(true)}>
          Refresh…
        </button>
      </header>
      <Answer query={manifest} waiting={<Skeleton height="12rem" />}>
        {({ data }) => <Facts seen={data} />}
      </Answer>
      {asking && <Refresh onClose={() => setAsking(false)} />}
    </section>
  );
}

function Facts({ seen }: { seen: Seen }) {
  return (
    <>
      <p className={seen.stale ? "state bad" : "state good"} data-stale={seen.stale}>
        {seen.stale_reason === null ? "Up to date: what is served is the live dataset." : STALE_WORDS[seen.stale_reason]}
      </p>
      {seen.rolled_back !== null && (
        <p>
          <b>{seen.rolled_back.by}</b> went back on {formatMoment(seen.rolled_back.at, "UTC")} from version <span className="mono">{seen.rolled_back.over}</span>. It holds until
          the dataset changes or a version is activated again.
        </p>
      )}
      {seen.error_code !== null && (
        <p className="bad">
          <code>{seen.error_code}</code> {seen.error_message}
        </p>
      )}
      <dl className="facts">
        <dt>Served version</dt>
        <dd className="mono">{seen.served_version ?? UNKNOWN}</dd>
        <dt>Version of the live dataset</dt>
        <dd className="mono">{seen.wanted_version ?? UNKNOWN}</dd>
        <dt>Manifest</dt>
        <dd className="mono">{seen.path ?? UNKNOWN}</dd>
        <dt>Dataset</dt>
        <dd className="mono">{seen.hash ?? UNKNOWN}</dd>
        <dt>Calls</dt>
        <dd>{formatCount(seen.rows)}</dd>
        <dt>Newest call</dt>
        <dd>{moment(seen.max_started_at)}</dd>
        <dt>Written</dt>
        <dd>{moment(seen.updated_at)}</dd>
        <dt>Looked at</dt>
        <dd>{moment(seen.seen_at)}</dd>
      </dl>
    </>
  );
}

function Refresh({ onClose }: { onClose: () => void }) {
  const api = useSupportApi();
  const queries = useQueryClient();
  const [command, setCommand] = useState(true);
  const refresh = useMutation({
    mutationFn: () => answered(api.POST("/api/settings/refresh", { body: { run_command: command } })),
    onSuccess: ({ data }) => {
      rememberJob(queries, data);
      onClose();
    },
  });
  return (
    <Confirm title="Refresh the data?" action="Refresh" busy={refresh.isPending} error={refresh.error} onConfirm={() => refresh.mutate()} onClose={onClose}>
      <p>A worker fetches the data and builds a new version if it has changed. The last good version is served meanwhile.</p>
      <label className="check">
        <input type="checkbox" checked={command} onChange={({ target }) => setCommand(target.checked)} />
        Run the refresh command first
      </label>
      {!command && <p className="quiet">The live dataset is built as it is. This also ends a rollback.</p>}
    </Confirm>
  );
}

function moment(instant: string | null): string {
  return instant === null ? UNKNOWN : formatMoment(instant, "UTC", { seconds: true });
}
