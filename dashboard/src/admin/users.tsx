import type { components } from "@supportapi/client";
import { useUsers } from "@supportapi/client/react";

import { Answer, Empty, Skeleton } from "../parts/answer.tsx";

const ORIGINS: Record<components["schemas"]["ListedUser"]["origin"], string> = {
  environment: "the environment (SUPPORTAPI_USERS)",
  file: "supportapi users",
  sample: "a sample, on this machine only",
};

/** Who may sign in, and as what. */
export function Users() {
  const users = useUsers();
  return (
    <section className="panel-box" aria-labelledby="users-title">
      <header>
        <h2 id="users-title">Users</h2>
      </header>
      <Answer query={users} waiting={<Skeleton height="8rem" />}>
        {({ data }) =>
          data.length === 0 ? (
            <Empty>Nobody can sign in: there are no users yet.</Empty>
          ) : (
            <div className="scroller tall" tabIndex={0} role="group" aria-labelledby="users-title">
              <table>
                <thead>
                  <tr>
                    <th scope="col">User</th>
                    <th scope="col">Role</th>
                    <th scope="col">Kept in</th>
                  </tr>
                </thead>
                <tbody>
                  {data.map(({ username, role, origin }) => (
                    <tr key={username} data-user={username}>
                      <th scope="row">{username}</th>
                      <td>
                        <span className={role === "admin" ? "badge strong" : "badge"}>{role}</span>
                      </td>
                      <td className="quiet">{ORIGINS[origin]}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          )
        }
      </Answer>
      <p className="quiet small">Users are added and removed by supportapi users, on the machine of the API.</p>
    </section>
  );
}
