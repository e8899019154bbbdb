import { answered } from "@supportapi/client";
import { keys, type Live, useFilterOptions, useSupportApi } from "@supportapi/client/react";
import { useQuery } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";

import { optionsQueryOf, usePlace } from "../filters.ts";
import { formatAge, formatMoment } from "../format.ts";
import { useDismissed } from "../parts/dismissed.ts";
import { STALE_WORDS } from "../words.ts";

const LOOK_MILLISECONDS = 10_000;
const NOTICE_MILLISECONDS = 10_000;

/** Which version is shown, how old it is, and whether anything stands in the way of a newer one. */
export function Freshness({ live }: { live: Live }) {
  const { filters } = usePlace();
  const meta = useFilterOptions(optionsQueryOf(filters)).data?.meta;
  const now = useNow(30_000);
  const trouble = useTrouble(live);
  const details = useDismissed();
  if (meta === undefined) return <div className="freshness" aria-hidden="true" />;
  return (
    <div className="freshness">
      <details name="popover" ref={details}>
        <summary className={trouble === null ? "fresh" : "fresh troubled"}>
          <span className="dot" aria-hidden="true" />
          <span className="fresh-age">
            {trouble === null ? "Live" : "Not up to date"}
            <span className="wide"> · built {formatAge(meta.built_at, now)}</span>
          </span>
        </summary>
        <dl className="panel facts">
          <dt>Version</dt>
          <dd className="mono">{meta.version}</dd>
          <dt>Newest call</dt>
          <dd>{meta.as_of === null ? "no calls" : `${formatMoment(meta.as_of, meta.timezone)} (${meta.timezone})`}</dd>
          <dt>Built</dt>
          <dd>
            {formatMoment(meta.built_at, meta.timezone)} ({formatAge(meta.built_at, now)})
          </dd>
          <dt>Dataset</dt>
          <dd className="mono">{meta.dataset_hash.slice(0, 16)}…</dd>
          <dt>Updates</dt>
          <dd>{live.state === "open" ? "as they are published" : "waiting for the server"}</dd>
        </dl>
      </details>
      {trouble !== null && (
        <p className="trouble" role="status">
          {trouble}
        </p>
      )}
      <NewData version={meta.version} builtAt={meta.built_at} />
    </div>
  );
}

/** Why what is shown may not be the newest, in words; null when nothing is wrong. */
function useTrouble(live: Live): string | null {
  const api = useSupportApi();
  const readiness = useQuery({
    queryKey: [...keys.versioned, "readiness"],
    queryFn: ({ signal }) => answered(api.GET("/api/readyz", { signal })),
    refetchInterval: LOOK_MILLISECONDS,
    retry: false,
  });
  if (live.state === "lost" && readiness.isError) {
    return "The server cannot be reached. What is shown was true when it was last heard of.";
  }
  const reason = readiness.data?.data.stale_reason;
  return reason == null ? null : STALE_WORDS[reason];
}

/** Says that the numbers have changed, for a while. The page itself changes in place. */
function NewData({ version, builtAt }: { version: string; builtAt: string }) {
  const seen = useRef(version);
  const [shown, setShown] = useState(false);
  useEffect(() => {
    if (seen.current === version) return undefined;
    seen.current = version;
    setShown(true);
    const timer = setTimeout(() => setShown(false), NOTICE_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [version]);
  return (
    <div className="toast-place" role="status" aria-live="polite">
      {shown && (
        <p className="toast">
          New data: version <span className="mono">{version.slice(0, 8)}</span>, built {formatAge(builtAt, Date.now())}.
          <button type="button" className="plain" onClick={() => setShown(false)} aria-label="Dismiss">
            ✕
          </button>
        </p>
      )}
    </div>
  );
}

function useNow(milliseconds: number): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), milliseconds);
    return () => clearInterval(timer);
  }, [milliseconds]);
  return now;
}
