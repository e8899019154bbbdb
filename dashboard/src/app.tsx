import { ApiError } from "@supportapi/client";
import { useMe } from "@supportapi/client/react";
import { lazy, Suspense } from "react";
import { Redirect, Route, Switch, useLocation, useSearch } from "wouter";

import { Overview } from "./overview/page.tsx";
import { Answer, Skeleton } from "./parts/answer.tsx";
import { Boundary } from "./parts/boundary.tsx";
import { Shell } from "./shell/shell.tsx";

const Admin = lazy(() => import("./admin/page.tsx"));
const Agents = lazy(() => import("./agents/page.tsx"));
const Calls = lazy(() => import("./calls/page.tsx"));
const SignIn = lazy(() => import("./sign-in.tsx"));

export function App() {
  return (
    <Boundary>
      <Suspense fallback={null}>
        <Switch>
          <Route path="/sign-in" component={SignIn} />
          <Route component={Pages} />
        </Switch>
      </Suspense>
    </Boundary>
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
      <Boundary key={path}>
        <Suspense fallback={<Skeleton height="70vh" />}>
          <Switch>
            <Route path="/" component={Overview} />
            <Route path="/agents" component={Agents} />
            <Route path="/calls" component={Calls} />
            <Route path="/admin">
              <Answer query={me} waiting={<Skeleton height="70vh" />}>
                {({ data }) => <Admin user={data} />}
              </Answer>
            </Route>
            <Route>
              <p className="notice">There is no such page.</p>
            </Route>
          </Switch>
        </Suspense>
      </Boundary>
    </Shell>
  );
}
