import type { components } from "@supportapi/client";
import { useAgent } from "@supportapi/client/react";

import { agentsQueryOf, type Filters } from "../filters.ts";
import { formatValue } from "../format.ts";
import { callsPage } from "../links.ts";
import { Answer, Skeleton } from "../parts/answer.tsx";
import { Followed } from "../parts/followed.tsx";
import { Move } from "../parts/move.tsx";
import { Sparkline } from "../parts/sparkline.tsx";
import { cardLabel, unavailableWords } from "../words.ts";
import { Badge } from "./badge.tsx";

type Detail = components["schemas"]["AgentDetail"];

/** One agent: each metric, how it moved, and where they stand among the others under the same filters. */
export function AgentSheet({ agentId, filters }: { agentId: string; filters: Filters }) {
  const { agent_id: _, ...query } = agentsQueryOf(filters);
  const agent = useAgent(agentId, query);
  return (
    <Answer query={agent} waiting={<Skeleton height="70vh" />}>
      {({ data }) => (
        <>
          <p className="lead">
            <b>{data.agent_name ?? data.agent_id}</b> <span className="quiet">{data.agent_id}</span>
          </p>
          <table className="standings">
            <thead>
              <tr>
                <th scope="col">Metric</th>
                <th scope="col" className="number">
                  Value
                </th>
                <th scope="col" className="number">
                  Move
                </th>
                <th scope="col" className="number">
                  Rank
                </th>
                <th scope="col">Badge</th>
                <th scope="col">
                  <span className="unseen">Over time</span>
                </th>
              </tr>
            </thead>
            <tbody>
              {data.kpis
                .filter(({ available }) => available)
                .map((card) => (
                  <Line key={card.key} card={card} standing={data.standings.find(({ key }) => key === card.key)} />
                ))}
            </tbody>
          </table>
          <Lacking cards={data.kpis.filter(({ available }) => !available)} />
        </>
      )}
    </Answer>
  );
}

function Line({ card, standing }: { card: Detail["kpis"][number]; standing: Detail["standings"][number] | undefined }) {
  return (
    <tr>
      <th scope="row">{cardLabel(card.key, card.label)}</th>
      <td className="number">
        <Followed link={callsPage(card.links?.calls ?? null)} of={card.label}>
          {formatValue(card.value, card.unit)}
        </Followed>
      </td>
      <td className="number">
        <Move delta={card.delta} unit={card.unit} />
      </td>
      <td className="number quiet">{standing?.rank != null && `${standing.rank} of ${standing.ranked}`}</td>
      <td>{standing !== undefined && standing.badge !== null && <Badge badge={standing.badge} reason={null} />}</td>
      <td>
        <Sparkline values={card.sparkline} />
      </td>
    </tr>
  );
}

/** The metrics that cannot be given, together for each reason. */
function Lacking({ cards }: { cards: Detail["kpis"] }) {
  const reasons = [...new Set(cards.map(({ reason }) => reason))];
  return reasons.map((reason) => (
    <p key={reason} className="quiet">
      {unavailableWords(reason)}:{" "}
      {cards
        .filter((card) => card.reason === reason)
        .map(({ label }) => label)
        .join(", ")}
      .
    </p>
  ));
}
