// The graded pictures of the raster: how far a layer moved, how long it has not been trained, and how important it is. A value has one
// of five tones. They differ in darkness and in height, so that nobody has to tell colours apart. Pure.

/** 0: nothing to show; 1 (least) to 5. */
export type Tone = 0 | 1 | 2 | 3 | 4 | 5;

/** Half powers of ten from 1e-6 to 10, so that the scale rarely changes during a run. */
const HALVES = Array.from({ length: 15 }, (_, i) => Number((10 ** (Math.floor(i / 2) - 6) * (i % 2 ? 3 : 1)).toPrecision(1)));

/** The four bounds between five tones of change, ascending: the highest tone holds the largest measured value. */
export function changeBounds(largest: number): readonly number[] {
  const above = HALVES.findIndex((bound) => bound >= largest);
  const top = Math.max(3, (above < 0 ? HALVES.length : above) - 1);
  return HALVES.slice(top - 3, top + 1);
}

export function changeTone(change: number, bounds: readonly number[]): Tone {
  if (!Number.isFinite(change)) return 0;
  return (1 + bounds.filter((bound) => change > bound).length) as Tone;
}

/** Upper bounds of the first four tones of age, in periods since the layer was last trained; 0 is the current period. */
const AGES = [0, 1, 3, 9] as const;

/** A younger layer has a stronger tone; 0: never trained. */
export function ageTone(periods: number): Tone {
  if (periods < 0) return 0;
  const place = AGES.findIndex((bound) => periods <= bound);
  return (place < 0 ? 1 : 5 - place) as Tone;
}

/** What each tone of age means, in steps, strongest first. */
export function ageLegend(periodSteps: number): readonly { readonly tone: Tone; readonly text: string }[] {
  return [
    { tone: 5, text: 'training' },
    ...AGES.slice(1).map((bound, i) => ({ tone: (4 - i) as Tone, text: `up to ${steps(bound * periodSteps)}` })),
    { tone: 1 as const, text: 'longer' },
  ];
}

const steps = (count: number): string => `${count.toLocaleString('en-US')} ${count === 1 ? 'step' : 'steps'}`;

/** The weight of a layer as a share of the largest weight. */
export const importanceTone = (share: number): Tone => Math.max(1, Math.min(5, Math.ceil(share * 5))) as Tone;

/** What each tone of importance means, least first. `most`: the largest p_l. */
export const importanceLegend = (most: number): readonly { readonly tone: Tone; readonly text: string }[] =>
  ([1, 2, 3, 4, 5] as const).map((tone) => ({ tone, text: `${tone === 1 ? 'up to' : 'to'} ${((most * tone) / 5).toFixed(3)}` }));

/** What each tone of change means, least first. */
export function changeLegend(bounds: readonly number[]): readonly { readonly tone: Tone; readonly text: string }[] {
  const named = bounds.map((bound) => formatChange(bound));
  return [
    { tone: 1, text: `up to ${named[0]}` },
    ...named.slice(1).map((bound, i) => ({ tone: (i + 2) as Tone, text: `to ${bound}` })),
    { tone: 5, text: 'more' },
  ];
}

/** 0.82 %, 1.1 %, 0.003 %. */
export const formatChange = (change: number): string => (Number.isFinite(change) ? `${Number((change * 100).toPrecision(2))} %` : '–');
