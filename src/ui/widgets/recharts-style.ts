// How charts of recharts look here: as the page's own.

export const CHART = {
  margin: { top: 8, right: 16, bottom: 0, left: 8 },
  axis: { stroke: 'var(--rule-strong)', tick: { fill: 'var(--muted)', fontSize: 11 }, tickLine: false },
  tip: {
    cursor: { stroke: 'var(--rule-strong)' },
    contentStyle: {
      background: 'var(--surface)',
      border: '1px solid var(--rule-strong)',
      borderRadius: 'var(--radius)',
      fontSize: 12,
      padding: '6px 10px',
    },
  },
} as const;

export const tickText = (value: number): string => String(Number(value.toPrecision(4)));
