import type { components } from "@supportapi/client";
import { type AgentsQuery, useAgents, useCatalogue } from "@supportapi/client/react";
import { changed, spellAddress } from "../address.ts";
import { agentsQueryOf, usePlace } from "../filters.ts";
import { formatCount, formatValue, percentOf } from "../format.ts";
import { callsPage } from "../links.ts";
import { Answer, Empty, Skeleton } from "../parts/answer.tsx";
import { Drawer } from "../parts/drawer.tsx";
import { Export } from "../parts/export.tsx";
import { Followed } from "../parts/followed.tsx";
import { Move } from "../parts/move.tsx";
import { Pager, pageOf } from "../parts/pager.tsx";
import { SortedHeading } from "../parts/sorting.tsx";
import { Sparkline } from "../parts/sparkline.tsx";
import { cardLabel } from "../words.ts";
import { AgentSheet } from "./sheet.tsx";
import { Badge } from "./badge.tsx";

type Row = components["schemas"]["AgentRow"];
type Metric = components["schemas"]["CatalogueMetric"];

const METRICS = ["csat", "resolution_rate", "average_duration", "average_speed_of_answer"] as const;
const PER_PAGE = 25;

export default function Agents() {
  const { address, filters, change } = usePlace();
  const sort = address.sort?.[0] ?? "-csat";
  const page = pageOf(address.page);
  const catalogue = useCatalogue();
  const query: AgentsQuery = { ...agentsQueryOf(filters), sort: sort as AgentsQuery["sort"], metrics: ["calls", ...METRICS] };
  const agents = useAgents({ ...query, page, per_page: PER_PAGE });
  const shown = METRICS.flatMap((key) => catalogue.data?.data.metrics.filter((metric) => metric.key === key) ?? []);
  const sorted = { sort, onSort: (next: string) => change({ sort: next }, { replace: true }) };
  const opened = address.agent?.[0];
  const pageAt = (number: number) => `/agents${spellAddress(changed(address, { page: number === 1 ? undefined : String(number), agent: undefined }))}`;
  return (
    <>
      <h1 className="unseen">Agents</h1>
      <section className="panel-box" aria-labelledby="board-title">
        <header>
          <h2 id="board-title">Leaderboard</h2>
          <p className="quiet">Badges need at least 20 calls, and a value beyond what luck explains.</p>
          <div className="tools">
            <Export path="/api/agents/export" asked={query} of="leaderboard" what="Every row, not this page of them, in this order." />
          </div>
        </header>
        <Answer query={agents} waiting={<Skeleton height="60vh" />}>
          {({ data, meta }) =>
            data.rows.length === 0 ? (
              <Empty>No agent took a call in this window.</Empty>
            ) : (
              <>
                <div className="scroller" tabIndex={0} role="group" aria-labelledby="board-title">
                  <table className="board">
                    <thead>
                      <tr>
                        <th scope="col" className="number">
                          Rank
                        </th>
                        <SortedHeading column="agent_name" first="up" {...sorted}>
                          Agent
                        </SortedHeading>
                        <th scope="col">Badge</th>
                        <SortedHeading column="calls" first="down" number {...sorted}>
                          Calls
                        </SortedHeading>
                        <th scope="col">
                          <span className="unseen">Calls over time</span>
                        </th>
                        {shown.map((metric) => (
                          <Headings key={metric.key} metric={metric} {...sorted} />
                        ))}
                      </tr>
                    </thead>
                    <tbody>
                      {data.rows.map((row) => (
                        <AgentLine key={row.agent_id + row.region} row={row} metrics={shown} onOpen={() => change({ agent: row.agent_id })} />
                      ))}
                    </tbody>
                  </table>
                </div>
                <footer>
                  <p className="quiet">
                    {data.unassigned_calls > 0 && `${formatCount(data.unassigned_calls)} calls without an agent are not listed.`}
                  </p>
                  <Pager page={page} perPage={PER_PAGE} total={meta.total} what="agents by region" {...pagesOf(page, Math.ceil(meta.total / PER_PAGE), pageAt)} />
                </footer>
              </>
            )
          }
        </Answer>
      </section>
      {opened !== undefined && (
        <Drawer title="Agent" onClose={() => change({ agent: undefined })}>
          <AgentSheet agentId={opened} filters={filters} />
        </Drawer>
      )}
    </>
  );
}

function pagesOf(page: number, last: number, at: (page: number) => string) {
  const [back, on] = [page > 1, page < last];
  return { first: back ? at(1) : null, prev: back ? at(page - 1) : null, next: on ? at(page + 1) : null, last: on ? at(last) : null };
}

function Headings({ metric, sort, onSort }: { metric: Metric; sort: string; onSort: (sort: string) => void }) {
  return (
    <>
      <SortedHeading column={metric.key} first={metric.better === "down" ? "up" : "down"} number sort={sort} onSort={onSort}>
        {cardLabel(metric.key, metric.label)}
      </SortedHeading>
      <SortedHeading column={`${metric.key}_delta`} first={metric.better === "down" ? "up" : "down"} number sort={sort} onSort={onSort}>
        <span aria-hidden="true">±</span>
        <span className="unseen">Move of {metric.label}</span>
      </SortedHeading>
    </>
  );
}

function AgentLine({ row, metrics, onOpen }: { row: Row; metrics: Metric[]; onOpen: () => void }) {
  return (
    <tr>
      <td className="number quiet" title={row.percentile === null ? undefined : `Better than ${percentOf(row.percentile)}`}>
        {row.rank ?? "–"}
      </td>
      <th scope="row">
        <button type="button" className="linked" onClick={onOpen}>
          {row.agent_name ?? row.agent_id}
        </button>
        <span className="quiet">{row.region === "null" ? "Unknown region" : row.region}</span>
      </th>
      <td>
        <Badge badge={row.badge} reason={row.badge_reason} />
      </td>
      <td className="number">
        <Followed link={callsPage(row.links.calls)} of={`of ${row.agent_name ?? row.agent_id}`}>
          {formatCount(row.calls)}
        </Followed>
      </td>
      <td>
        <Sparkline values={row.sparkline} />
      </td>
      {metrics.map(({ key, unit }) => (
        <Cells key={key} value={row[key as (typeof METRICS)[number]]} delta={row.deltas?.[key]} unit={unit} />
      ))}
    </tr>
  );
}

function Cells({ value, delta, unit }: { value: number | null | undefined; delta: components["schemas"]["Delta"] | undefined; unit: Metric["unit"] }) {
  return (
    <>
      <td className="number">{formatValue(value, unit)}</td>
      <td className="number">
        <Move delta={delta} unit={unit} />
      </td>
    </>
  );
}
