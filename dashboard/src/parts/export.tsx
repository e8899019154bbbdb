import type { operations } from "@supportapi/client";

import { addressOf, changed, spellAddress } from "../address.ts";
import { useDismissed } from "./dismissed.ts";

type Format = NonNullable<NonNullable<operations["exportCalls"]["parameters"]["query"]>["format"]>;

const FORMATS = {
  csv: "CSV",
  xlsx: "Excel",
  parquet: "Parquet",
  ndjson: "NDJSON",
  arrow: "Arrow",
} as const satisfies Record<Format, string>;

interface Given {
  /** The route that makes the file. */
  path: "/api/calls/export" | "/api/agents/export" | "/api/metrics/export";
  /** What is asked, in the API's own parameters. */
  asked: object;
  /** What is exported: there are several of them on a page. */
  of: string;
  /** What is in the file, in a few words. */
  what: string;
}

/** The whole of what is shown as a file, in the format that one likes. */
export function Export({ path, asked, of, what }: Given) {
  const details = useDismissed();
  return (
    <details className="popover" name="popover" ref={details}>
      <summary>
        Export<span className="unseen"> {of}</span>
      </summary>
      <div className="panel menu to-left">
        <p className="quiet small">{what}</p>
        {Object.entries(FORMATS).map(([format, name]) => (
          <a key={format} href={path + spellAddress(changed(addressOf(asked), { format }))} download onClick={() => details.current?.removeAttribute("open")}>
            {name}
          </a>
        ))}
      </div>
    </details>
  );
}
