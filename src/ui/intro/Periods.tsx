// Three periods of a stack of eight layers, side by side: which layers train, and which have trained before. They light up one after
// another; where motion is reduced they stand still, and say the same.

/** From the bottom layer up. */
const DRAWN: readonly (readonly number[])[] = [
  [1, 5],
  [3, 6],
  [0, 7],
];
const LAYERS = 8;
const [WIDTH, HEIGHT, GAP, STEP] = [56, 8, 2, 84];

export function Periods() {
  return (
    <svg
      className="periods"
      viewBox={`0 0 ${STEP * (DRAWN.length - 1) + WIDTH} ${LAYERS * (HEIGHT + GAP) + 18}`}
      role="img"
      aria-label="Three periods of a stack of eight layers. In each, two other layers train; after three periods, six of the eight have learned."
    >
      {DRAWN.map((drawn, period) => (
        <g key={period} className="period" data-period={period} transform={`translate(${period * STEP} 0)`}>
          {Array.from({ length: LAYERS }, (_, layer) => {
            const before = DRAWN.slice(0, period).some((earlier) => earlier.includes(layer));
            const state = drawn.includes(layer) ? 'trains' : before ? 'trained' : 'frozen';
            return <rect key={layer} data-state={state} width={WIDTH} height={HEIGHT} y={(LAYERS - 1 - layer) * (HEIGHT + GAP)} rx={1.5} />;
          })}
          <text x={WIDTH / 2} y={LAYERS * (HEIGHT + GAP) + 12} textAnchor="middle">
            {['steps 1–5', '6–10', '11–15'][period]}
          </text>
          {period > 0 && <path className="period-arrow" d={`M${-STEP + WIDTH + 6} 39h12m-4 -4l4 4l-4 4`} />}
        </g>
      ))}
    </svg>
  );
}
