import type { components } from "@supportapi/client";

import { Freshness } from "./freshness.tsx";
import { History } from "./history.tsx";
import { LiveData } from "./live-data.tsx";
import { Rejects } from "./rejects.tsx";
import { Users } from "./users.tsx";
import { Versions } from "./versions.tsx";
import { WorkQueue } from "./work-queue.tsx";

export default function Admin({ user }: { user: components["schemas"]["User"] }) {
  if (user.role !== "admin") {
    return (
      <div className="answer" aria-busy="false">
        <h1 className="unseen">Admin</h1>
        <p className="notice" role="alert">
          This page is for admins. You are signed in as {user.username}, who is a {user.role}.
        </p>
      </div>
    );
  }
  return (
    <div className="admin">
      <h1 className="unseen">Admin</h1>
      <LiveData />
      <Freshness />
      <Versions />
      <History />
      <Rejects />
      <WorkQueue />
      <Users />
      <p className="quiet small">Times are UTC.</p>
    </div>
  );
}
