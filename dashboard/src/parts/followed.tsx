import type { ReactNode } from "react";
import { Link } from "wouter";

/** A number that leads to the calls behind it, where there is a way. */
export function Followed({ link, of, children }: { link: string | null; of: string; children: ReactNode }) {
  if (link === null) return children;
  return (
    <Link href={link} className="followed" title={`Calls behind it: ${of}`}>
      {children}
    </Link>
  );
}
