import { answered, type components } from "@supportapi/client";
import { keys, useComparison, useSupportApi, useVersions } from "@supportapi/client/react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { formatCount, formatMoment, formatSeconds, formatValue, UNKNOWN } from "../format.ts";
import { Answer, Empty, Skeleton } from "../parts/answer.tsx";
import { Confirm } from "../parts/confirm.tsx";
import { Move } from "../parts/move.tsx";
import { cardLabel } from "../words.ts";

type Version = components["schemas"]["Version"];

export function Versions() {
  const versions = useVersions();
  const [chosen, setChosen] = useState<string | null>(null);
  return (
    <section className="panel-box" aria-labelledby="versions-title">
      <header>
        <h2 id="versions-title">Versions</h2>
        <p className="quiet">The newest publish first.</p>
      </header>
      <Answer query={versions} waiting={<Skeleton height="8rem" />}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty>Nothing was published yet.</Empty>
          ) : (
            <div className="scroller" tabIndex={0} role="group" aria-labelledby="versions-title">
              <table>
                <thead>
                  <tr>
                    <th scope="col">Version</th>
                    <th scope="col">Built</th>
                    <th scope="col" className="number">
                      Took
                    </th>
                    <th scope="col" className="number">
                      Calls
                    </th>
                    <th scope="col">Newest call</th>
                    <th scope="col" className="number">
                      Audited by
                    </th>
                    <th scope="col">
                      <span className="unseen">In force</span>
                    </th>
                  </tr>
                </thead>
                <tbody>
                  {data.map((version) => (
                    <Line key={version.version} version={version} onActivate={() => setChosen(version.version)} />
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Answer>
      {chosen !== null && <Activate version={chosen} served={versions.data?.data.find(({ served }) => served)?.version ?? null} onClose={() => setChosen(null)} />}
    </section>
  );
}

function Line({ version, onActivate }: { version: Version; onActivate: () => void }) {
  return (
    <tr data-version={version.version}>
      <th scope="row" className="mono">
        {version.version}
      </th>
      <td>{formatMoment(version.built_at, "UTC", { seconds: true })}</td>
      <td className="number">{formatSeconds(version.build_seconds)}</td>
      <td className="number">{formatCount(version.rows)}</td>
      <td>{version.as_of === null ? UNKNOWN : formatMoment(version.as_of, "UTC")}</td>
      <td className="number">{formatCount(version.audit_queries)} questions</td>
      <td>
        {version.served ? (
          <span className="badge strong">served</span>
        ) : (
          <button type="button" onClick={onActivate} aria-label={`Activate version ${version.version}`}>
            Activate…
          </button>
        )}
      </td>
    </tr>
  );
}

function Activate({ version, served, onClose }: { version: string; served: string | null; onClose: () => void }) {
  const api = useSupportApi();
  const queries = useQueryClient();
  const activate = useMutation({
    mutationFn: () => answered(api.POST("/api/versions/{version}/activate", { params: { path: { version } } })),
    onSuccess: () => {
      // The publish is told of as well, but not where that version was in force already.
      void queries.invalidateQueries({ queryKey: keys.versions });
      onClose();
    },
  });
  return (
    <Confirm title="Activate this version?" action="Activate" busy={activate.isPending} error={activate.error} onConfirm={() => activate.mutate()} onClose={onClose}>
      <p>
        Everybody will see version <span className="mono">{version}</span>, until the dataset changes or a version is activated again.
      </p>
      {served !== null && <Changes pair={`${served}...${version}`} />}
    </Confirm>
  );
}

/** What everybody will see change. */
function Changes({ pair }: { pair: string }) {
  const comparison = useComparison(pair);
  return (
    <Answer query={comparison} waiting={<Skeleton height="10rem" label="Comparing the two versions" />}>
      {({ data: { calls, kpis } }) => (
        <>
          <p data-changes>
            {formatCount(calls.added)} calls are added, {formatCount(calls.removed)} removed, {formatCount(calls.changed)} changed.
          </p>
          <div className="scroller tall" tabIndex={0} role="group" aria-label="How each metric moves">
            <dl className="facts">
              {kpis.filter(({ available }) => available).map((card) => (
                <div key={card.key} className="row">
                  <dt>{cardLabel(card.key, card.label)}</dt>
                  <dd>
                    {formatValue(card.previous, card.unit)} → {formatValue(card.value, card.unit)} <Move delta={card.delta} unit={card.unit} />
                  </dd>
                </div>
              ))}
            </dl>
          </div>
        </>
      )}
    </Answer>
  );
}
