import { useEffect, useState } from "react";

import { type Address, changed } from "../address.ts";
import type { Place } from "../filters.ts";
import { useDismissed } from "../parts/dismissed.ts";
import { Export } from "../parts/export.tsx";
import { COLUMNS, type Column, USUAL } from "./columns.tsx";
import { NARROWING_NAMES, type NarrowingName, NARROWINGS } from "./narrowing.ts";

const SEARCH_MILLISECONDS = 300;

/** What narrows the calls beside the filters of every page, and which columns are shown. */
export function Tools({ place, columns }: { place: Place; columns: Column[] }) {
  const { address, change } = place;
  const shown = NARROWING_NAMES.filter((name) => address[name] !== undefined && !isChosenAbove(name, address[name]));
  return (
    <div className="tools">
      <Search place={place} />
      <Yes place={place} name="answered" />
      <Yes place={place} name="resolved" />
      <ChooseColumns columns={columns} onChange={(keys) => change({ fields: keys }, { replace: true })} />
      <Export path="/api/calls/export" asked={exported(place)} of="calls" what="Every call of this list, in its order, with all columns." />
      {shown.length > 0 && (
        <ul className="chips" aria-label="Only calls with">
          {shown.map((name) => (
            <li key={name}>
              {NARROWINGS[name].name}: {NARROWINGS[name].say(address[name] ?? [])}
              <button type="button" className="plain" aria-label={`Remove ${NARROWINGS[name].name}`} onClick={() => change({ [name]: undefined })}>
                ✕
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** All calls of the list, not this page of it, in its order. */
function exported({ address, filters: { range, from, to } }: Place): Address {
  const { page: _, cursor: __, call: ___, fields: ____, compare: _____, ...asked } = address;
  return changed(asked, { range, from, to });
}

/** What the fields beside say already. */
function isChosenAbove(name: NarrowingName, values: readonly string[]): boolean {
  return name === "q" || ((name === "answered" || name === "resolved") && values.length === 1);
}

function Search({ place: { address, change } }: { place: Place }) {
  const sought = address.q?.join(",") ?? "";
  const [typed, setTyped] = useState(sought);
  useEffect(() => setTyped(sought), [sought]);
  useEffect(() => {
    if (typed === sought) return undefined;
    const timer = setTimeout(() => change({ q: typed || undefined }, { replace: true }), SEARCH_MILLISECONDS);
    return () => clearTimeout(timer);
  }, [typed, sought, change]);
  return <input type="search" value={typed} maxLength={100} placeholder="Call, customer, agent" aria-label="Search calls by id or agent" onChange={({ target }) => setTyped(target.value)} />;
}

function Yes({ place: { address, change }, name }: { place: Place; name: "answered" | "resolved" }) {
  const value = address[name]?.length === 1 ? address[name][0] : "";
  return (
    <label className="choice">
      <span>{NARROWINGS[name].name}</span>
      <select value={value} onChange={({ target }) => change({ [name]: target.value || undefined })}>
        <option value="">any</option>
        <option value="true">yes</option>
        <option value="false">no</option>
        <option value="null">not known</option>
      </select>
    </label>
  );
}

function ChooseColumns({ columns, onChange }: { columns: Column[]; onChange: (keys: string[] | undefined) => void }) {
  const details = useDismissed();
  const chosen = columns.map(({ key }) => key);
  const toggle = (key: Column["key"]) => {
    const next = chosen.includes(key) ? chosen.filter((other) => other !== key) : [...chosen, key];
    if (next.length > 0) onChange(next);
  };
  return (
    <details className="popover" name="popover" ref={details}>
      <summary>Columns</summary>
      <div className="panel members to-left">
        <ul aria-label="Columns">
          {COLUMNS.map(({ key, name }) => (
            <li key={key}>
              <label>
                <input type="checkbox" checked={chosen.includes(key)} onChange={() => toggle(key)} />
                <span>{name}</span>
              </label>
            </li>
          ))}
        </ul>
        {chosen.join() !== USUAL.join() && (
          <button type="button" className="plain" onClick={() => onChange(undefined)}>
            The usual ones
          </button>
        )}
      </div>
    </details>
  );
}
