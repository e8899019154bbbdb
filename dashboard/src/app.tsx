import { ApiError } from "@supportapi/client";
import { useMe } from "@supportapi/client/react";
import { lazy, Suspense } from "react";
import { Redirect, Route, Switch, useLocation, useSearch } from "wouter";

import { Overview } from "./overview/page.tsx";
import { Shell } from "./shell/shell.tsx";

const Admin = lazy(() => import("./admin/page.tsx"));
const Agents = lazy(() => import("./agents/page.tsx"));
const Calls = lazy(() => import("./calls/page.tsx"));
const SignIn = lazy(() => import("./sign-in.tsx"));

export function App() {
  return (
    <Suspense fallback={null}>
      <Switch>
        <Route path="/sign-in" component={SignIn} />
        <Route component={Pages} />
      </Switch>
    </Suspense>
  );
}

/** Pages ask for their data at once: who has no session learns so from the same answer, and no time is lost. */
function Pages() {
  const me = useMe();
  const [path] = useLocation();
  const search = useSearch();
  if (me.error instanceof ApiError && me.error.code === "UNAUTHENTICATED") {
    return <Redirect to={`/sign-in?next=${encodeURIComponent(search === "" ? path : `${path}?${search}`)}`} replace />;
  }
  return (
    <Shell user={me.data?.data}>
      <Suspense fallback={null}>
        <Switch>
          <Route path="/" component={Overview} />
          <Route path="/agents" component={Agents} />
          <Route path="/calls" component={Calls} />
          <Route path="/admin">{me.data && <Admin user={me.data.data} />}</Route>
          <Route>
            <p className="notice">There is no such page.</p>
          </Route>
        </Switch>
      </Suspense>
    </Shell>
  );
}
