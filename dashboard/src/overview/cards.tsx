import type { components } from "@supportapi/client";

import { Link } from "wouter";

import { formatValue } from "../format.ts";
import { callsPage } from "../links.ts";
import { Move } from "../parts/move.tsx";
import { Sparkline } from "../parts/sparkline.tsx";
import { cardLabel, unavailableWords } from "../words.ts";

type Card = components["schemas"]["KpiCard"];

/** One card for each metric. The one that is pressed is what the panels below show. */
export function Cards({ cards, chosen, onChoose }: { cards: Card[]; chosen: string; onChoose: (key: string) => void }) {
  return (
    <ul className="cards" aria-label="Key figures: choose one to see it below">
      {cards.map((card) => (
        <li key={card.key}>
          <button
            type="button"
            className="card"
            aria-pressed={card.key === chosen}
            disabled={!card.available}
            onClick={() => onChoose(card.key)}
          >
            <span className="card-label">{cardLabel(card.key, card.label)}</span>
            {card.available ? <Known card={card} /> : <Lacking card={card} />}
          </button>
          <ToCalls card={card} />
        </li>
      ))}
    </ul>
  );
}

/** Beside the button, for a link cannot be inside of one. Null where no filter says which calls are counted. */
function ToCalls({ card }: { card: Card }) {
  const page = callsPage(card.links?.calls ?? null);
  if (page === null) return null;
  const name = `Calls behind ${cardLabel(card.key, card.label)}`;
  return (
    <Link className="to-calls" href={page} title={name} aria-label={name}>
      <span aria-hidden="true">↗</span>
    </Link>
  );
}

function Known({ card }: { card: Card }) {
  const { interval } = card;
  const spread = interval && `95 % interval ${formatValue(interval.low, card.unit)} to ${formatValue(interval.high, card.unit)}`;
  return (
    <>
      <span className="card-value" data-metric={card.key} title={spread}>
        {formatValue(card.value, card.unit)}
      </span>
      <span className="card-move">
        <Move delta={card.delta} unit={card.unit} />
        {card.previous !== null && card.delta !== null && (
          <span className="quiet"> from {formatValue(card.previous, card.unit)}</span>
        )}
      </span>
      <Sparkline values={card.sparkline} />
    </>
  );
}

function Lacking({ card }: { card: Card }) {
  return (
    <>
      <span className="card-value quiet">–</span>
      <span className="card-move quiet">{unavailableWords(card.reason, card.columns)}</span>
    </>
  );
}
