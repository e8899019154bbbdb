import { ApiError, answered, type components } from "@supportapi/client";
import { keys, useLive, useSupportApi } from "@supportapi/client/react";
import { useQueryClient } from "@tanstack/react-query";
import type { ReactNode } from "react";
import { Link, useLocation } from "wouter";

import { sharedSearch, usePlace } from "../filters.ts";
import { useDismissed } from "../parts/dismissed.ts";
import { type Theme, THEMES, useTheme } from "../theme.ts";
import { FilterBar } from "./filter-bar.tsx";
import { Freshness } from "./freshness.tsx";

const PAGES = [
  { path: "/", name: "Overview" },
  { path: "/agents", name: "Agents" },
  { path: "/calls", name: "Calls" },
] as const;
const ADMIN = { path: "/admin", name: "Admin" } as const;
const THEME_NAMES: Record<Theme, string> = { auto: "System", light: "Light", dark: "Dark" };

export function Shell({ user, children }: { user?: components["schemas"]["User"]; children: ReactNode }) {
  const live = useLive();
  const { address } = usePlace();
  const [path] = useLocation();
  return (
    <>
      <a className="skip" href="#main">
        Skip to the numbers
      </a>
      <header className="top">
        <div className="top-row">
          <Link className="brand" href={`/${sharedSearch(address)}`}>
            <svg viewBox="0 0 32 32" aria-hidden="true">
              <rect width="32" height="32" rx="7" />
              <path d="M7 22V15m6 7V9m6 13v-9m6 9V11" />
            </svg>
            <span>Support calls</span>
          </Link>
          <nav aria-label="Pages">
            {[...PAGES, ...(user?.role === "admin" ? [ADMIN] : [])].map(({ path: to, name }) => (
              <Link key={to} href={to + sharedSearch(address)} aria-current={path === to ? "page" : undefined}>
                {name}
              </Link>
            ))}
          </nav>
          <Freshness live={live} />
          <Menu user={user} />
        </div>
        {path !== ADMIN.path && <FilterBar />}
      </header>
      <main id="main" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

/** Who is signed in, the colours, and the way out. */
function Menu({ user }: { user?: components["schemas"]["User"] }) {
  const api = useSupportApi();
  const queries = useQueryClient();
  const [, navigate] = useLocation();
  const [theme, setTheme] = useTheme();
  const details = useDismissed();
  const leave = async () => {
    await answered(api.POST("/api/auth/sign-out")).catch((error: unknown) => {
      if (!(error instanceof ApiError)) throw error;
    });
    navigate("/sign-in");
    queries.removeQueries({ queryKey: keys.all });
  };
  return (
    <details className="popover" name="popover" ref={details}>
      <summary aria-label={`Menu of ${user?.username ?? "nobody"}`}>
        <span className="wide">{user?.username ?? "…"}</span>
        <span className="narrow" aria-hidden="true">
          ☰
        </span>
      </summary>
      <div className="panel menu to-left">
        {user && (
          <p>
            <b>{user.username}</b> <span className="quiet">{user.role}</span>
          </p>
        )}
        <fieldset className="segments">
          <legend className="quiet small">Colours</legend>
          {THEMES.map((choice) => (
            <label key={choice}>
              <input type="radio" name="theme" checked={theme === choice} onChange={() => setTheme(choice)} />
              <span>{THEME_NAMES[choice]}</span>
            </label>
          ))}
        </fieldset>
        <a href="/docs">API documentation</a>
        <button type="button" onClick={() => void leave()}>
          Sign out
        </button>
      </div>
    </details>
  );
}
