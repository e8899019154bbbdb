import type { components } from "@supportapi/client";

import { formatMove, type Unit } from "../format.ts";

/** How a value moved: sign, size and colour, and in words for those who do not see them. */
export function Move({ delta, unit }: { delta: components["schemas"]["Delta"] | null | undefined; unit: Unit }) {
  const move = formatMove(delta, unit);
  if (move === null) return null;
  return (
    <span className={`move ${move.tone}`} title={move.spoken}>
      <span aria-hidden="true">
        {move.arrow !== "" && <i>{move.arrow}</i>}
        {move.text}
      </span>
      <span className="unseen">{move.spoken}</span>
    </span>
  );
}
