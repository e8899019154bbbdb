import type { components } from "@supportapi/client";
import { useCall } from "@supportapi/client/react";
import type { ReactNode } from "react";
import { Link } from "wouter";

import type { Place } from "../filters.ts";
import { formatSeconds, formatValue } from "../format.ts";
import { callsLink } from "../links.ts";
import { Answer, Skeleton } from "../parts/answer.tsx";
import { COLUMNS, type Call, Unknown } from "./columns.tsx";

/** One call with all that is known of it, beside what its agent's calls are like. */
export function CallSheet({ callId, place: { filters } }: { callId: string; place: Place }) {
  const call = useCall(callId, filters.timezone);
  return (
    <Answer query={call} waiting={<Skeleton height="70vh" />}>
      {({ data, meta }) => (
        <>
          <p className="lead">
            <b className="mono">{data.call.call_id}</b>
          </p>
          <dl className="facts">
            {COLUMNS.map(({ key, name, show }) => (
              <Fact key={key} name={name}>
                {show(data.call, meta.timezone)}
              </Fact>
            ))}
          </dl>
          <p className="quiet">Times are those of {meta.timezone}.</p>
          <p className="links">
            {data.call.customer_id !== null && (
              <Link href={callsLink(filters, { range: "all", from: undefined, to: undefined, customer_id: data.call.customer_id })}>All calls of this customer</Link>
            )}
            {data.call.agent_id !== null && <Link href={callsLink(filters, { agent_id: data.call.agent_id })}>Calls of this agent</Link>}
          </p>
          {data.agent !== null && <Compared call={data.call} agent={data.agent} />}
        </>
      )}
    </Answer>
  );
}

function Compared({ call, agent }: { call: Call; agent: components["schemas"]["AgentAverages"] }) {
  return (
    <>
      <h3>{agent.agent_name ?? agent.agent_id}, on average</h3>
      <dl className="facts">
        <Fact name="Calls">{formatValue(agent.calls, "count")}</Fact>
        <Fact name="Duration">
          {formatSeconds(agent.average_duration)} {call.duration_seconds !== null && <span className="quiet">this call {formatSeconds(call.duration_seconds)}</span>}
        </Fact>
        <Fact name="Speed of answer">
          {formatSeconds(agent.average_speed_of_answer)} {call.wait_seconds !== null && <span className="quiet">this call {formatSeconds(call.wait_seconds)}</span>}
        </Fact>
        <Fact name="Rating">{formatValue(agent.average_rating, "rating")}</Fact>
        <Fact name="CSAT">{formatValue(agent.csat, "percent")}</Fact>
        <Fact name="Resolution rate">{formatValue(agent.resolution_rate, "percent")}</Fact>
      </dl>
    </>
  );
}

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{children ?? <Unknown />}</dd>
    </>
  );
}
