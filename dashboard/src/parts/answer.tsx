import { ApiError } from "@supportapi/client";
import type { UseQueryResult } from "@tanstack/react-query";
import type { ReactNode } from "react";

interface Given<T> {
  query: UseQueryResult<T>;
  /** What stands there until the first answer: of the same size, so that nothing jumps. */
  waiting: ReactNode;
  children: (answer: T) => ReactNode;
}

/** What an answer is shown as: while it is awaited, when it failed, and once it is there. */
export function Answer<T>({ query, waiting, children }: Given<T>) {
  if (query.data === undefined) {
    return query.isError ? <Failed error={query.error} again={() => void query.refetch()} /> : waiting;
  }
  return (
    <>
      {query.isError && <Failed error={query.error} again={() => void query.refetch()} />}
      <div className="answer" aria-busy={query.isPlaceholderData} data-old={query.isPlaceholderData}>
        {children(query.data)}
      </div>
    </>
  );
}

/** What went wrong, with what somebody needs who is asked about it. */
export function Failed({ error, again }: { error: Error; again?: () => void }) {
  const known = error instanceof ApiError ? error : null;
  // One problem is what the message says already.
  const details = known?.details.filter(({ message }) => message !== error.message) ?? [];
  return (
    <div className="failed" role="alert">
      <p>{error.message}</p>
      {details.length > 0 && (
        <ul>
          {details.map(({ field, message }) => (
            <li key={`${field}${message}`}>{message}</li>
          ))}
        </ul>
      )}
      <p className="quiet">
        <span>
          {known !== null && <code>{known.code}</code>}
          {known?.requestId != null && (
            <>
              {" "}
              · request <code>{known.requestId}</code>
            </>
          )}
        </span>
        {again !== undefined && (
          <button type="button" onClick={again}>
            Try again
          </button>
        )}
      </p>
    </div>
  );
}

export function Skeleton({ height, label = "Loading" }: { height: string; label?: string }) {
  return <div className="skeleton" style={{ height }} role="status" aria-label={label} />;
}

export function Empty({ children }: { children: ReactNode }) {
  return <p className="empty">{children}</p>;
}
