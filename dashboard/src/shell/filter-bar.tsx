import type { components } from "@supportapi/client";
import { useFilterOptions } from "@supportapi/client/react";
import { useState } from "react";

import { COMPARES, DIMENSIONS, type Dimension, optionsQueryOf, type Place, RANGES, usePlace } from "../filters.ts";
import { dayAfter, formatWindow } from "../format.ts";
import { ChooseMembers } from "../parts/choose-members.tsx";
import { useDismissed } from "../parts/dismissed.ts";
import { COMPARE_NAMES, DIMENSION_NAMES, RANGE_NAMES } from "../words.ts";

type Options = components["schemas"]["OptionsAnswer"];

export function FilterBar() {
  const place = usePlace();
  const options = useFilterOptions(optionsQueryOf(place.filters));
  const [unfolded, setUnfolded] = useState(false);
  const narrowed = DIMENSIONS.filter((name) => place.filters[name].length > 0).length;
  return (
    <section className="filters" aria-label="Filters" data-unfolded={unfolded}>
      <ChooseRange place={place} options={options.data} />
      <button
        type="button"
        className="plain fold"
        aria-expanded={unfolded}
        onClick={() => setUnfolded((before) => !before)}
      >
        Filters{narrowed > 0 && ` (${narrowed})`}
      </button>
      <div className="foldable">
        {DIMENSIONS.map((name) => (
          <ChooseMembers
            key={name}
            name={DIMENSION_NAMES[name]}
            options={membersOf(options.data, name)}
            chosen={place.filters[name]}
            onChange={(values) => place.change({ [name]: values })}
          />
        ))}
        {narrowed > 0 && (
          <button
            type="button"
            className="plain"
            onClick={() => place.change({ ...Object.fromEntries(DIMENSIONS.map((name) => [name, undefined])) })}
          >
            Clear filters
          </button>
        )}
        <ChooseCompare place={place} />
      </div>
    </section>
  );
}

function membersOf(options: Options | undefined, name: Dimension): components["schemas"]["FilterOption"][] | undefined {
  const { regions, issue_types, channels, agents } = options?.data ?? {};
  return { region: regions, issue_type: issue_types, channel: channels, agent_id: agents }[name];
}

function ChooseRange({ place, options }: { place: Place; options: Options | undefined }) {
  const { filters, change } = place;
  const chosen = filters.from === undefined ? filters.range : null;
  const days = options?.data.dates;
  const set = (from: string, to: string) => {
    if (from !== "" && to !== "" && from < to) change({ from, to, range: undefined });
  };
  const window = options?.meta.window;
  const details = useDismissed();
  return (
    <div className="ranges">
      <fieldset className="segments">
        <legend className="unseen">Window</legend>
        {RANGES.map((range) => (
          <label key={range} title={RANGE_NAMES[range].long}>
            <input
              type="radio"
              name="range"
              checked={chosen === range}
              onChange={() => change({ range, from: undefined, to: undefined })}
            />
            <span aria-hidden="true">{RANGE_NAMES[range].short}</span>
            <span className="unseen">{RANGE_NAMES[range].long}</span>
          </label>
        ))}
      </fieldset>
      <details className="popover" name="popover" ref={details}>
        <summary data-chosen={chosen === null}>
          <span className="unseen">Days: </span>
          <span className="window-shown">{window ? formatWindow(window) : "…"}</span>
        </summary>
        {window && (
          // The last day is shown as people say it, the API's windows are half-open.
          <div className="panel days" key={`${window.from}${window.to}`}>
            <label>
              From
              <input
                type="date"
                defaultValue={window.from}
                min={days?.from}
                max={days ? dayAfter(days.to, -1) : undefined}
                onChange={({ target }) => set(target.value, window.to)}
              />
            </label>
            <label>
              To
              <input
                type="date"
                defaultValue={dayAfter(window.to, -1)}
                min={window.from}
                onChange={({ target }) => target.value !== "" && set(window.from, dayAfter(target.value))}
              />
            </label>
            <ChooseZone place={place} options={options} />
          </div>
        )}
      </details>
    </div>
  );
}

function ChooseCompare({ place: { filters, change } }: { place: Place }) {
  return (
    <label className="choice">
      <span>Against</span>
      <select
        value={filters.compare ?? "previous"}
        onChange={({ target }) => change({ compare: target.value === "previous" ? undefined : target.value })}
      >
        {COMPARES.map((compare) => (
          <option key={compare} value={compare}>
            {COMPARE_NAMES[compare]}
          </option>
        ))}
      </select>
    </label>
  );
}

function ChooseZone({ place: { change }, options }: { place: Place; options: Options | undefined }) {
  const zones = options?.data.timezones ?? [];
  return (
    <label>
      Time zone
      <select
        value={options?.meta.timezone ?? ""}
        disabled={zones.length < 2}
        onChange={({ target }) => change({ timezone: target.value === zones[0] ? undefined : target.value })}
      >
        {zones.map((zone) => (
          <option key={zone}>{zone}</option>
        ))}
      </select>
    </label>
  );
}
