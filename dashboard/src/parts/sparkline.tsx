import { LinePath } from "@visx/shape";

const WIDTH = 120;
const HEIGHT = 28;

/** The shape of a development; the numbers stand elsewhere, so it is not read aloud. */
export function Sparkline({ values }: { values: readonly (number | null)[] | null }) {
  const known = values?.filter((value) => value !== null) ?? [];
  if (values === null || known.length < 2) return <span className="sparkline" aria-hidden="true" />;
  const low = Math.min(...known);
  const span = Math.max(...known) - low || 1;
  const x = (at: number) => (at / (values.length - 1)) * WIDTH;
  const y = (value: number | null) => HEIGHT - 2 - (((value ?? low) - low) / span) * (HEIGHT - 4);
  const last = values.at(-1);
  return (
    <svg className="sparkline" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
      <LinePath data={[...values]} x={(_, at) => x(at)} y={y} defined={(value) => value !== null} />
      {last != null && <path className="end" d={`M${WIDTH} ${y(last)}h0`} />}
    </svg>
  );
}
