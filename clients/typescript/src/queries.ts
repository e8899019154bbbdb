import { keepPreviousData, type QueryClient, queryOptions } from "@tanstack/react-query";

import { answered, type SupportApi } from "./client.ts";
import type { components, operations } from "./schema.ts";

type QueryOf<Id extends keyof operations> = NonNullable<operations[Id]["parameters"]["query"]>;

export type MetricsQuery = QueryOf<"getMetrics">;
export type AgentsQuery = QueryOf<"listAgents">;
export type AgentQuery = QueryOf<"getAgent">;
export type CallsQuery = QueryOf<"listCalls">;
export type OptionsQuery = QueryOf<"getFilterOptions">;
export type RejectsQuery = QueryOf<"getRejects">;
type JobList = components["schemas"]["JobList"];

/** Keys are `[ROOT, resource, ...]`; what a published version changes stands below `versioned`. */
const ROOT = "supportapi";
export const keys = {
  all: [ROOT] as const,
  me: [ROOT, "me"] as const,
  versioned: [ROOT, "versioned"] as const,
  metrics: (query: MetricsQuery) => [ROOT, "versioned", "metrics", query] as const,
  agents: (query: AgentsQuery) => [ROOT, "versioned", "agents", query] as const,
  agent: (id: string, query: AgentQuery) => [ROOT, "versioned", "agent", id, query] as const,
  calls: (query: CallsQuery) => [ROOT, "versioned", "calls", query] as const,
  call: (id: string, timezone?: string) => [ROOT, "versioned", "call", id, timezone ?? null] as const,
  options: (query: OptionsQuery) => [ROOT, "versioned", "options", query] as const,
  catalogue: [ROOT, "versioned", "catalogue"] as const,
  manifest: [ROOT, "versioned", "manifest"] as const,
  versions: [ROOT, "versioned", "versions"] as const,
  comparison: (pair: string) => [ROOT, "versioned", "comparison", pair] as const,
  jobs: [ROOT, "jobs"] as const,
  freshness: [ROOT, "versioned", "freshness"] as const,
  queue: [ROOT, "queue"] as const,
  rejects: (query: RejectsQuery) => [ROOT, "versioned", "rejects", query] as const,
  users: [ROOT, "users"] as const,
};

/** What was shown stays while the next answer is on its way: pages change in place. */
const inPlace = { placeholderData: keepPreviousData } as const;

export const meQuery = (api: SupportApi) =>
  queryOptions({
    queryKey: keys.me,
    queryFn: ({ signal }) => answered(api.GET("/api/auth/me", { signal })),
  });

export const metricsQuery = (api: SupportApi, query: MetricsQuery) =>
  queryOptions({
    ...inPlace,
    queryKey: keys.metrics(query),
    queryFn: ({ signal }) => answered(api.GET("/api/metrics", { params: { query }, signal })),
  });

export const agentsQuery = (api: SupportApi, query: AgentsQuery) =>
  queryOptions({
    ...inPlace,
    queryKey: keys.agents(query),
    queryFn: ({ signal }) => answered(api.GET("/api/agents", { params: { query }, signal })),
  });

export const agentQuery = (api: SupportApi, agentId: string, query: AgentQuery) =>
  queryOptions({
    queryKey: keys.agent(agentId, query),
    queryFn: ({ signal }) =>
      answered(api.GET("/api/agents/{agent_id}", { params: { path: { agent_id: agentId }, query }, signal })),
  });

export const callsQuery = (api: SupportApi, query: CallsQuery) =>
  queryOptions({
    ...inPlace,
    queryKey: keys.calls(query),
    queryFn: ({ signal }) => answered(api.GET("/api/calls", { params: { query }, signal })),
  });

export const callQuery = (api: SupportApi, callId: string, timezone?: string) =>
  queryOptions({
    queryKey: keys.call(callId, timezone),
    queryFn: ({ signal }) =>
      answered(
        api.GET("/api/calls/{call_id}", { params: { path: { call_id: callId }, query: { timezone } }, signal }),
      ),
  });

export const optionsQuery = (api: SupportApi, query: OptionsQuery) =>
  queryOptions({
    ...inPlace,
    queryKey: keys.options(query),
    queryFn: ({ signal }) => answered(api.GET("/api/filters/options", { params: { query }, signal })),
  });

export const catalogueQuery = (api: SupportApi) =>
  queryOptions({
    queryKey: keys.catalogue,
    queryFn: ({ signal }) => answered(api.GET("/api/metrics/catalogue", { signal })),
  });

export const manifestQuery = (api: SupportApi) =>
  queryOptions({
    queryKey: keys.manifest,
    queryFn: ({ signal }) => answered(api.GET("/api/settings/manifest", { signal })),
  });

export const versionsQuery = (api: SupportApi) =>
  queryOptions({
    queryKey: keys.versions,
    queryFn: ({ signal }) => answered(api.GET("/api/versions", { signal })),
  });

/** What changed between two versions: `older...newer`. */
export const comparisonQuery = (api: SupportApi, pair: string) =>
  queryOptions({
    queryKey: keys.comparison(pair),
    queryFn: ({ signal }) => answered(api.GET("/api/versions/{pair}", { params: { path: { pair } }, signal })),
  });

export const jobsQuery = (api: SupportApi, limit: number) =>
  queryOptions({
    queryKey: keys.jobs,
    queryFn: ({ signal }) => answered(api.GET("/api/settings/jobs", { params: { query: { limit } }, signal })),
  });

/** When what was served was not the newest data: for admins, as the three below. */
export const freshnessQuery = (api: SupportApi) =>
  queryOptions({
    queryKey: keys.freshness,
    queryFn: ({ signal }) => answered(api.GET("/api/settings/freshness", { signal })),
  });

export const queueQuery = (api: SupportApi) =>
  queryOptions({
    queryKey: keys.queue,
    queryFn: ({ signal }) => answered(api.GET("/api/settings/queue", { signal })),
  });

export const rejectsQuery = (api: SupportApi, query: RejectsQuery) =>
  queryOptions({
    ...inPlace,
    queryKey: keys.rejects(query),
    queryFn: ({ signal }) => answered(api.GET("/api/settings/rejects", { params: { query }, signal })),
  });

export const usersQuery = (api: SupportApi) =>
  queryOptions({
    queryKey: keys.users,
    queryFn: ({ signal }) => answered(api.GET("/api/auth/users", { signal })),
  });

/** Put the job that an event tells of into the list of jobs, the newest first. */
export function rememberJob(queries: QueryClient, job: components["schemas"]["Job"]): void {
  queries.setQueryData<JobList>(keys.jobs, (held) => {
    if (held === undefined) return held;
    const known = held.data.some(({ id }) => id === job.id);
    const data = known ? held.data.map((other) => (other.id === job.id ? job : other)) : [job, ...held.data];
    return { data, meta: { total: data.length } };
  });
}

/** Ask again for everything that a version answers. Data that is shown stays until its successor is there. */
export function invalidateVersion(queries: QueryClient): Promise<void> {
  return queries.invalidateQueries({ queryKey: keys.versioned });
}
