import { useQuery, useQueryClient } from "@tanstack/react-query";
import { createContext, createElement, type ReactNode, useContext, useEffect, useState } from "react";

import type { SupportApi } from "./client.ts";
import type { ApiError } from "./error.ts";
import { subscribe, type VersionPublished } from "./events.ts";
import * as queries from "./queries.ts";

export * from "./queries.ts";

const Api = createContext<SupportApi | null>(null);

export function SupportApiProvider({ api, children }: { api: SupportApi; children?: ReactNode }) {
  return createElement(Api.Provider, { value: api }, children);
}

export function useSupportApi(): SupportApi {
  const api = useContext(Api);
  if (api === null) throw new Error("There is no SupportApiProvider around this component.");
  return api;
}

export const useMe = () => useQuery(queries.meQuery(useSupportApi()));
export const useMetrics = (query: queries.MetricsQuery) => useQuery(queries.metricsQuery(useSupportApi(), query));
export const useAgents = (query: queries.AgentsQuery) => useQuery(queries.agentsQuery(useSupportApi(), query));
export const useAgent = (agentId: string, query: queries.AgentQuery) =>
  useQuery(queries.agentQuery(useSupportApi(), agentId, query));
export const useCalls = (query: queries.CallsQuery) => useQuery(queries.callsQuery(useSupportApi(), query));
export const useCall = (callId: string, timezone?: string) =>
  useQuery(queries.callQuery(useSupportApi(), callId, timezone));
export const useFilterOptions = (query: queries.OptionsQuery) =>
  useQuery(queries.optionsQuery(useSupportApi(), query));
export const useCatalogue = () => useQuery(queries.catalogueQuery(useSupportApi()));
export const useVersions = () => useQuery(queries.versionsQuery(useSupportApi()));
export const useComparison = (pair: string) => useQuery(queries.comparisonQuery(useSupportApi(), pair));
export const useJobs = (limit: number) => useQuery(queries.jobsQuery(useSupportApi(), limit));
export const useFreshness = () => useQuery(queries.freshnessQuery(useSupportApi()));
export const useQueue = () => useQuery(queries.queueQuery(useSupportApi()));
export const useRejects = (query: queries.RejectsQuery) => useQuery(queries.rejectsQuery(useSupportApi(), query));
export const useUsers = () => useQuery(queries.usersQuery(useSupportApi()));
export const useManifest = () => useQuery(queries.manifestQuery(useSupportApi()));

export interface Live {
  /** `lost` while the stream is being opened again; `refused` when the server will not have this principal. */
  state: "opening" | "open" | "lost" | "refused";
  /** The version that was published last since this page listens. */
  published: VersionPublished | null;
}

/** Listens while mounted; a published version makes everything that it answers be asked for again. */
export function useLive(onRefused?: (error: ApiError) => void): Live {
  const api = useSupportApi();
  const queryClient = useQueryClient();
  const [live, setLive] = useState<Live>({ state: "opening", published: null });
  useEffect(() => {
    const ending = new AbortController();
    let lost = false;
    void subscribe(api, {
      signal: ending.signal,
      onPublished: (published) => {
        setLive((before) => ({ ...before, published }));
        void queries.invalidateVersion(queryClient);
      },
      onJob: (job) => queries.rememberJob(queryClient, job),
      onReset: () => void queries.invalidateVersion(queryClient),
      onState: (state) => {
        // What was published while nobody listened, before any event gave an id to resume from, is found out by asking.
        if (state === "open" && lost) void queries.invalidateVersion(queryClient);
        lost = state === "lost";
        setLive((before) => ({ ...before, state }));
      },
      onRefused: (error) => {
        setLive((before) => ({ ...before, state: "refused" }));
        onRefused?.(error);
      },
    });
    return () => ending.abort();
  }, [api, queryClient, onRefused]);
  return live;
}
