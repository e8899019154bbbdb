import "./styles.css";

import { ApiError, createClient } from "@supportapi/client";
import { keys, SupportApiProvider } from "@supportapi/client/react";
import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { App } from "./app.tsx";

const queries = new QueryClient({
  queryCache: new QueryCache({
    // A session that ended shows in whatever is asked first; who asks for `me` next is sent to the sign-in.
    onError: (error, query) => {
      const ended = error instanceof ApiError && error.code === "UNAUTHENTICATED";
      if (ended && query.queryKey[1] !== "me") void queries.resetQueries({ queryKey: keys.me });
    },
  }),
  defaultOptions: {
    queries: {
      // A published version is told of; the time is for what happens while nobody can tell.
      staleTime: 60_000,
      retry: (failures, error) => error instanceof ApiError && error.transient && failures < 3,
    },
  },
});

const root = document.getElementById("root");
if (root === null) throw new Error("There is no #root in this page.");
createRoot(root).render(
  <StrictMode>
    <SupportApiProvider api={createClient()}>
      <QueryClientProvider client={queries}>
        <App />
      </QueryClientProvider>
    </SupportApiProvider>
  </StrictMode>,
);
