import { ApiError, answered } from "@supportapi/client";
import { keys, useSupportApi } from "@supportapi/client/react";
import { useQuery, useQueryClient } from "@tanstack/react-query";
import { type SyntheticEvent, useState } from "react";
import { useLocation, useSearch } from "wouter";

import { parseAddress } from "./address.ts";
import { Failed } from "./parts/answer.tsx";
import { useTheme } from "./theme.ts";

export default function SignIn() {
  const api = useSupportApi();
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const search = useSearch();
  useTheme();
  const [error, setError] = useState<ApiError | null>(null);
  const [asking, setAsking] = useState(false);
  const samples = useQuery({
    queryKey: ["supportapi", "samples"],
    queryFn: ({ signal }) => answered(api.GET("/api/auth/samples", { signal })),
  });

  const enter = async (username: string, password: string) => {
    setAsking(true);
    setError(null);
    try {
      await answered(api.POST("/api/auth/sign-in", { body: { username, password } }));
      queries.removeQueries({ queryKey: keys.all });
      navigate(inside(search), { replace: true });
    } catch (failure) {
      if (!(failure instanceof ApiError)) throw failure;
      setError(failure);
      setAsking(false);
    }
  };
  const submit = (event: SyntheticEvent<HTMLFormElement>) => {
    event.preventDefault();
    const given = new FormData(event.currentTarget);
    void enter(String(given.get("username")), String(given.get("password")));
  };

  return (
    <main className="sign-in">
      <form onSubmit={submit}>
        <h1 className="brand">
          <svg viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="7" />
            <path d="M7 22V15m6 7V9m6 13v-9m6 9V11" />
          </svg>
          Support calls
        </h1>
        <label>
          Username
          <input name="username" autoComplete="username" required autoFocus maxLength={200} />
        </label>
        <label>
          Password
          <input name="password" type="password" autoComplete="current-password" required maxLength={1_000} />
        </label>
        <button type="submit" className="main" disabled={asking}>
          Sign in
        </button>
        {error !== null && <Failed error={error} />}
        {samples.data !== undefined && samples.data.data.length > 0 && (
          <div className="samples">
            <p className="quiet">Samples, on this machine only:</p>
            {samples.data.data.map(({ username, password }) => (
              <button key={username} type="button" disabled={asking} onClick={() => void enter(username, password)}>
                {username} / {password}
              </button>
            ))}
          </div>
        )}
      </form>
    </main>
  );
}

/** Where to go on: a path of this site, whatever the address claims. */
function inside(search: string): string {
  const next = parseAddress(search).next?.[0] ?? "/";
  return next.startsWith("/") && !next.startsWith("//") && !next.startsWith("/\\") ? next : "/";
}
