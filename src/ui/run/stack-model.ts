// The model as a stack at one moment of a run: what trains, how far down the backward pass goes, when the next layers are
// drawn. It comes from the run's events, live, past or recorded. Pure.

import type { RunMetrics } from '../../store/run/metrics';
import type { Run } from '../../store/run/run';
import type { BlockBytes } from '../../plan/block-bytes';
import type { Prepared } from '../../train/events';
import { formatList, plural } from '../format';
import { blockTitle } from '../labels';

/** `drawn`: trains in this period. `always`: trains at every step. `adapter`: the adapter beside the frozen weights trains. */
export type Trains = 'no' | 'drawn' | 'always' | 'adapter';

export interface Floor {
  readonly name: string;
  readonly title: string;
  readonly layer: number | null;
  readonly trains: Trains;
  /** Null for a head that is the embedding (tied), because it has no memory of its own. */
  readonly block: BlockBytes | null;
}

export interface Draw {
  /** From 0. */
  readonly period: number;
  readonly periods: number;
  readonly layers: readonly number[];
  /** Finished steps of this period, and all its steps. */
  readonly done: number;
  readonly length: number;
  /** No draw follows this one. */
  readonly last: boolean;
}

export interface Stack {
  /** Top first. */
  readonly floors: readonly Floor[];
  /** Index of the floor where the backward pass ends. */
  readonly end: number;
  /** If layers are sampled: which, and for how long. */
  readonly draw: Draw | null;
  /** `first`: before the first step; `last`: the run has ended. */
  readonly moment: 'first' | 'now' | 'last';
}

type Moment = Pick<Run, 'config' | 'step' | 'phase'>;

/** The period that the last finished step belongs to, or the first one. */
function drawOf({ config, step }: Moment, { schedule }: Prepared, observed: RunMetrics['periods']): Draw | null {
  if (schedule.length === 0) return null;
  const { stepsPerPeriod: length, steps } = config;
  const period = Math.min(Math.max(0, Math.floor((step - 1) / length)), schedule.length - 1);
  // What was trained takes precedence over what was planned.
  const layers = observed.findLast((seen) => seen.period === period)?.layers ?? schedule[period].layers;
  const end = Math.min((period + 1) * length, steps);
  return {
    period,
    periods: schedule.length,
    layers,
    done: step - period * length,
    length: end - period * length,
    last: period === schedule.length - 1,
  };
}

export function stackOf(run: Moment, prepared: Prepared, observed: RunMetrics['periods']): Stack {
  const { method } = run.config;
  const draw = drawOf(run, prepared, observed);
  const blocks = new Map(prepared.blocks.map((block) => [block.name, block]));
  const floor = (name: string, layer: number | null = null): Floor => {
    const block = blocks.get(name) ?? null;
    const own = block ?? blocks.get('embedding'); // a tied head
    let trains: Trains = own?.always ? 'always' : 'no';
    if (layer !== null && method === 'lora') trains = 'adapter';
    if (layer !== null && draw?.layers.includes(layer)) trains = 'drawn';
    return { name, title: block ? blockTitle(name) : `${name}, tied`, layer, trains, block };
  };
  const { layers } = prepared.shape;
  const middle = Array.from({ length: layers }, (_, i) => floor(`layer.${layers - 1 - i}`, layers - 1 - i));
  const floors = [floor('head'), floor('norm'), ...middle, floor('embedding')];
  return {
    floors,
    end: floors.findLastIndex(({ trains }) => trains !== 'no'),
    draw,
    moment: run.phase === 'done' || run.phase === 'failed' ? 'last' : run.step === 0 ? 'first' : 'now',
  };
}

/** "next draw in 3 steps". */
export function countdown({ done, length, last }: Draw, moment: Stack['moment']): string {
  const left = length - done;
  if (moment === 'last') return 'no further draw';
  if (last) return left === 0 ? 'the last step is finished' : `last draw; ${plural(left, 'step')} left`;
  return left === 0 ? 'next draw at the next step' : `next draw in ${plural(left, 'step')}`;
}

/** The stack in words. */
export function stackSentences({ floors, end, draw, moment }: Stack): string[] {
  const named = (trains: Trains): string[] => floors.flatMap((floor) => (floor.trains === trains ? [floor.title] : []));
  const said: string[] = [];
  const always = named('always');
  if (always.length === floors.length) said.push('Every block trains at every step.');
  else if (always.length > 0) said.push(`At every step: ${formatList(always)}.`);
  if (draw) {
    const layers = `${draw.layers.length === 1 ? 'layer' : 'layers'} ${formatList(draw.layers)}`;
    const others = floors.filter((floor) => floor.layer !== null && floor.trains === 'no').length;
    const verb = { first: 'First drawn', now: 'Drawn now', last: 'Drawn last' }[moment];
    said.push(`${verb}: ${layers}${others > 0 ? `; ${plural(others, 'layer')} frozen` : ''}.`);
  }
  if (named('adapter').length > 0) said.push('The adapters of every layer train; all weights of the model are frozen.');
  const lowest = floors[end];
  if (lowest) said.push(`The backward pass goes down to ${lowest.layer === null ? `the ${lowest.title}` : lowest.title}.`);
  return said;
}
