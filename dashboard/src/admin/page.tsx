import type { components } from "@supportapi/client";

import { History } from "./history.tsx";
import { LiveData } from "./live-data.tsx";
import { Versions } from "./versions.tsx";

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
      <Versions />
      <History />
    </div>
  );
}
