import type { components } from "@supportapi/client";
import { useId, useState } from "react";

import { formatCount } from "../format.ts";
import { useDismissed } from "./dismissed.ts";

const SEARCHED_FROM = 10;
const SHOWN_MAX = 200;

interface Given {
  name: { one: string; many: string };
  options: components["schemas"]["FilterOption"][] | undefined;
  chosen: readonly string[];
  onChange: (values: string[]) => void;
}

/** Members to keep, each with the number of calls that it would leave under the other filters. */
export function ChooseMembers({ name, options, chosen, onChange }: Given) {
  const [sought, setSought] = useState("");
  const id = useId();
  const details = useDismissed();
  const found = options?.filter(({ label }) => label.toLowerCase().includes(sought.toLowerCase())) ?? [];
  const toggle = (value: string) =>
    onChange(chosen.includes(value) ? chosen.filter((other) => other !== value) : [...chosen, value]);
  return (
    <details className="popover" name="popover" ref={details}>
      <summary data-chosen={chosen.length > 0}>
        {name.one}
        {chosen.length > 0 && <b>{chosen.length === 1 ? labelOf(options, chosen[0]) : chosen.length}</b>}
      </summary>
      <div className="panel members">
        {(options?.length ?? 0) >= SEARCHED_FROM && (
          <input
            type="search"
            value={sought}
            placeholder={`Find ${name.many}`}
            aria-label={`Find ${name.many}`}
            onChange={({ target }) => setSought(target.value)}
          />
        )}
        <ul aria-label={`${name.one}: calls that each choice would leave`}>
          {found.slice(0, SHOWN_MAX).map(({ value, label, calls }) => (
            <li key={value}>
              <input
                type="checkbox"
                id={id + value}
                checked={chosen.includes(value)}
                onChange={() => toggle(value)}
              />
              <label htmlFor={id + value}>
                <span>{label}</span>
                <span className="number quiet">{formatCount(calls)}</span>
              </label>
            </li>
          ))}
        </ul>
        {found.length === 0 && <p className="quiet">Nothing is called that.</p>}
        {found.length > SHOWN_MAX && <p className="quiet">{formatCount(found.length - SHOWN_MAX)} more: type to find them.</p>}
        {chosen.length > 0 && (
          <button type="button" className="plain" onClick={() => onChange([])}>
            All {name.many}
          </button>
        )}
      </div>
    </details>
  );
}

function labelOf(options: Given["options"], value: string | undefined): string {
  return options?.find((option) => option.value === value)?.label ?? value ?? "";
}
