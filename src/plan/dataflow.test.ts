// Checks forward and backward of a plan against each other: every op has its adjoint, in reverse order; every value is written
// before it is read; nothing is kept that no one reads; values that share a scratch buffer never live at once.

import { describe, expect, test } from 'vitest';
import { layerOps } from './layers';
import { RESIDUAL_STREAM } from './ops/op';
import type { LayerOp } from './ops/registry';
import { assignments, dispatchesOf, METHODS, runConfig, runPlan, stepSegments, type MethodCase } from '../testing/plans';
import { ODD_NAMES, SHAPES } from '../testing/shapes';
import { TINY } from '../testing/tiny';
import { embeddingBackward, embeddingForward } from './bottom';
import type { Context, Unit } from './emit';
import { headLogits, headLoss } from './head';
import { CARD_KERNELS, type KernelChoice } from './input';
import { layerBackward, layerForward } from './layer';
import type { Assignment, RunPlan } from './run-plan';
import { microSegments } from './step-plan';
import { viewsOf } from './sharded-buffer';
import type { ModelShape } from '../model/types';
import type { BufferSpec, Dispatch, View } from '../dispatch/types';

/** The op that a layer's dispatch belongs to, such as 'qkv:linear'; null for any other dispatch. */
function opOf({ label, kernel }: Dispatch): { layer: number; op: string } | null {
  const found = /^layer\.(\d+)\/([\w.]+) /.exec(label);
  if (!found) return null;
  const kinds: [RegExp, string][] = [
    [/^(matmul|column_sum)/, 'linear'],
    [/^rms_norm_heads/, 'head_norm'],
    [/^(rms|layer)_norm/, 'norm'],
    [/^rope/, 'rope'],
    [/^attention/, 'attention'],
    [/^(gelu|swiglu|geglu)/, 'activation'],
  ];
  const kind = kinds.find(([name]) => name.test(kernel.name));
  if (!kind) throw new Error(`No op for ${kernel.name}.`);
  return { layer: Number(found[1]), op: `${found[2]}:${kind[1]}` };
}

const nameOf = (op: LayerOp): string => `${op.y}:${/^(gelu|swiglu|geglu)/.test(op.kind) ? 'activation' : op.kind}`;

/** Ops in the order of their dispatches; consecutive dispatches of one op count once. */
function opSequence(dispatches: readonly Dispatch[]): string[] {
  const sequence: string[] = [];
  for (const dispatch of dispatches) {
    const of = opOf(dispatch);
    const name = of && `${of.layer}/${of.op}`;
    if (name && sequence.at(-1) !== name) sequence.push(name);
  }
  return sequence;
}

/** A read_write binding that is read: in place, or added to. */
function readsItsOutput({ kernel, label }: Dispatch, binding: string): boolean {
  if (kernel.name === 'cross_entropy') return binding === 'logits';
  if (kernel.name.startsWith('rms_norm_heads')) return binding === 'qkv' || binding === 'dqkv';
  if (/^(rope|adamw|embedding_bwd_dw|matmul_nn_norm_bwd)$/.test(kernel.name) || /ACCUMULATE=1\b/.test(kernel.key)) return true;
  if (kernel.name === 'softcap') return true;
  // What norms the residual stream adds to its gradient; a norm after attention or feed-forward assigns.
  return /_norm_bwd_dx$/.test(kernel.name) && /^layer\.\d+\/n[12] /.test(label);
}

const reads = (dispatch: Dispatch): View[] =>
  dispatch.views.filter((_, at) => {
    const { access, name } = dispatch.kernel.bindings[at];
    return access === 'read' || readsItsOutput(dispatch, name);
  });
const writes = (dispatch: Dispatch): View[] => dispatch.views.filter((_, at) => dispatch.kernel.bindings[at].access === 'read_write');

/** Bytes of buffers that have been written. */
class Written {
  readonly #ranges = new Map<BufferSpec, [number, number][]>();

  add({ buffer, offset, bytes }: View): void {
    const merged = [...(this.#ranges.get(buffer) ?? []), [offset, offset + bytes] as [number, number]].sort((a, b) => a[0] - b[0]);
    const joined: [number, number][] = [];
    for (const range of merged) {
      const last = joined.at(-1);
      if (last && range[0] <= last[1]) last[1] = Math.max(last[1], range[1]);
      else joined.push([...range]);
    }
    this.#ranges.set(buffer, joined);
  }

  /** True if the view was written, up to the padding of a buffer's last 16 bytes. */
  has({ buffer, offset, bytes }: View): boolean {
    return (this.#ranges.get(buffer) ?? []).some(([from, to]) => from <= offset && offset + bytes < to + 16);
  }
}

/** Every unit that a step with this assignment runs, in order, before scratch buffers are handed out. */
function units(plan: RunPlan, assignment: Assignment): Unit[] {
  const { input, buffers } = plan;
  const context: Context = { input, buffers };
  const layers = Array.from({ length: input.shape.layers }, (_, i) => i);
  const role = (layer: number) => (assignment.has(layer) ? buffers.slots[assignment.get(layer)!] : null);
  const lowest = input.alwaysOn.embedding ? -1 : Math.min(...assignment.keys());
  return [
    embeddingForward(context, 'train'),
    ...layers.map((layer) => layerForward(context, layer, role(layer), 'train')),
    headLoss(context, { matrix: input.shape.tied ? input.alwaysOn.embedding : input.alwaysOn.head, norm: input.alwaysOn.norm }),
    ...layers
      .filter((layer) => layer >= lowest)
      .reverse()
      .map((layer) => layerBackward(context, layer, role(layer), layer > lowest)),
    ...(input.alwaysOn.embedding ? [embeddingBackward(context)] : []),
  ];
}

interface PlanCase {
  readonly title: string;
  readonly shape: ModelShape;
  readonly method: MethodCase;
  readonly kernels?: KernelChoice;
}
const CASES: PlanCase[] = [
  ...ODD_NAMES.flatMap((name) => METHODS.map((method) => ({ shape: SHAPES[name], method, title: `${name}, ${method.name}` }))),
  // Sizes that fusions fit, on the kernels that have them.
  ...(['tied Llama', 'Qwen3', 'GPT-2'] as const).flatMap((name) =>
    METHODS.filter((method) => /^(full|LISA γ=1.*|LoRA)$/.test(method.name)).map((method) => ({
      shape: TINY[name],
      method,
      kernels: CARD_KERNELS,
      title: `${name}, ${method.name}, fused`,
    })),
  ),
];
const planOf = ({ shape, method, kernels }: PlanCase): RunPlan =>
  runPlan(shape, runConfig(shape, method, { batchSize: 5, seqLen: 31 }), { kernels });
const isSource = ({ memory, name }: BufferSpec): boolean =>
  memory === 'weights' || memory === 'inputs' || memory === 'optimizer' || name === 'partials';

test('the fused cases are', () => {
  const kernels = CASES.filter((of) => of.kernels).flatMap((of) => {
    const plan = planOf(of);
    return plan.step(assignments(plan)[0]).forward.flatMap(({ dispatches }) => dispatches.map(({ kernel }) => kernel.name));
  });
  expect([...new Set(kernels)]).toEqual(expect.arrayContaining(['matmul_nt_swiglu', 'matmul_nt_rope', 'matmul_nn_gelu']));
});

describe.each(CASES)('$title', (of) => {
  const plan = planOf(of);
  const { slots, saved, stream } = plan.buffers;
  const { input } = plan;
  const ops = layerOps(input.shape);
  const L = input.shape.layers;
  const draws = assignments(plan).filter((_, i, all) => all.length <= 6 || i % 5 === 0 || i === all.length - 1);

  // A fusion is several operations in one dispatch.
  const alone = of.kernels === undefined;
  (alone ? test : null)?.('every op of the forward has its adjoint in the backward, once, in reverse order', () => {
    for (const assignment of draws) {
      const lowest = input.alwaysOn.embedding ? -1 : Math.min(...assignment.keys());
      const dispatches = dispatchesOf(microSegments(plan.step(assignment), plan.capacity));
      const turn = dispatches.findIndex((d) => d.kernel.name.startsWith('cross_entropy'));
      const forward = Array.from({ length: L }, (_, layer) => ops.map((op) => `${layer}/${nameOf(op)}`)).flat();
      expect(opSequence(dispatches.slice(0, turn))).toEqual(forward);
      // At the bottom of an adapter's backward nothing wants the gradient of the first norm.
      const untouched = (entry: string): boolean => input.lora !== null && entry === `${lowest}/${nameOf(ops[0])}`;
      const backward = forward.filter((entry) => Number(entry.split('/')[0]) >= lowest && !untouched(entry)).reverse();
      expect(opSequence(dispatches.slice(turn))).toEqual(backward);
    }
  });

  test('each linear and norm of a trained layer gets its weight gradients once, and no other op any', () => {
    const assignment = draws.at(-1)!;
    const dispatches = dispatchesOf(microSegments(plan.step(assignment), plan.capacity));
    for (const [layer, slot] of assignment) {
      const covered = new Written();
      const seen = new Set<number>();
      for (const dispatch of dispatches.filter((d) => opOf(d)?.layer === layer)) {
        for (const view of writes(dispatch).filter(({ buffer }) => buffer.memory === 'gradients')) {
          expect(slots[slot].gradient.shards.map((shard) => shard.view.buffer)).toContain(view.buffer);
          expect(seen.has(view.offset), `${dispatch.label}: written twice`).toBe(false);
          seen.add(view.offset);
          covered.add(view);
          // The kernel assigns in the first micro-batch and adds in the others, always or because ACCUMULATE says so.
          expect(/ACCUMULATE=2\b|_bwd_dw|column_sum/.test(dispatch.kernel.key), dispatch.kernel.key).toBe(true);
        }
      }
      for (const [tensor, { offset, elements }] of slots[slot].layout.places) {
        for (const view of viewsOf(slots[slot].gradient, offset, elements * 4)) expect(covered.has(view), tensor).toBe(true);
      }
    }
  });

  test('every value is written before it is read', () => {
    for (const assignment of draws) {
      const done = new Written();
      for (const dispatch of dispatchesOf(stepSegments(plan.step(assignment), plan))) {
        for (const view of reads(dispatch)) {
          const { buffer } = view;
          // Gradients are read whole by norm and update; their padding is never written and stays zero. Their
          // coverage by tensors is the test above.
          if (isSource(buffer) || buffer.memory === 'gradients' || buffer.name.startsWith('scratch.')) continue;
          if (buffer.name === 'stats' && dispatch.kernel.name.startsWith('cross_entropy_reduce')) continue;
          if (!done.has(view)) expect.fail(`${dispatch.label} (${dispatch.kernel.name}) reads ${buffer.name} before it is written`);
        }
        writes(dispatch).forEach((view) => done.add(view));
      }
      // Short-lived values, unit by unit: the check above would miss stale contents of a shared buffer.
      for (const unit of units(plan, assignment)) {
        const own = new Set(unit.transients.specs.values());
        const made = new Written();
        for (const dispatch of dispatchesOf(unit.segments)) {
          for (const view of reads(dispatch)) {
            if (own.has(view.buffer) && !made.has(view))
              expect.fail(`${unit.name}: ${dispatch.label} reads ${view.buffer.name} before it is written`);
          }
          writes(dispatch).forEach((view) => made.add(view));
        }
      }
    }
  });

  test('nothing is kept in vain', () => {
    for (const assignment of draws) {
      const lowest = input.alwaysOn.embedding ? 0 : Math.min(...assignment.keys());
      const dispatches = dispatchesOf(microSegments(plan.step(assignment), plan.capacity));
      const turn = dispatches.findIndex((d) => d.kernel.name.startsWith('cross_entropy'));
      const [before, after] = [dispatches.slice(0, turn), dispatches.slice(turn)];
      const written = new Set(before.flatMap(writes).map(({ buffer }) => buffer));
      const used = new Set(after.flatMap(reads).map(({ buffer }) => buffer));
      // The lowest adapted layer passes no gradient on, so the values for its first norm's gradient are the one exception.
      const excepted = input.lora
        ? new Set([...saved[0]].filter(([value]) => /^n1\./.test(value)).map(([, spec]) => spec))
        : new Set<BufferSpec>();
      const kept = [
        ...saved.flatMap((values, layer) => (layer >= lowest ? [...values.values()] : [])),
        ...[...assignment.values()].flatMap((slot) => [...slots[slot].saved.values()]),
        ...stream.slice(lowest + (input.lora ? 1 : 0), L),
      ];
      for (const spec of kept) {
        expect(written.has(spec), `${spec.name} is written in the forward`).toBe(true);
        expect(used.has(spec), `${spec.name} is read in the backward`).toBe(!excepted.has(spec));
      }
      expect(excepted.size).toBe(input.lora ? 1 : 0);
    }
  });

  test('values in one scratch buffer never live at once', () => {
    const context: Context = { input, buffers: plan.buffers };
    for (const assignment of draws.slice(-2)) {
      const step = plan.step(assignment);
      const placed = new Map(
        [...microSegments(step, plan.capacity), ...plan.generation(), ...plan.evaluation(plan.capacity)].map((segment) => [
          segment.name,
          segment,
        ]),
      );
      const emitted = [
        ...units(plan, assignment),
        headLogits(context),
        headLoss(context, false),
        layerForward(context, L - 1, null, 'generate'),
      ];
      for (const unit of emitted.filter(({ name: of }) => !/^layer\.\d+ train$/.test(of))) {
        const lives = new Map<BufferSpec, { at: BufferSpec; first: number; last: number }>();
        let now = 0;
        for (const { name: of, dispatches } of unit.segments) {
          // The head's chunks have equal names in training and evaluation; both go through the same buffers.
          const twin = placed.get(of)!;
          if (of.startsWith('head chunk') && unit.name === 'head eval') continue;
          dispatches.forEach((dispatch, index) => {
            dispatch.views.forEach((view, at) => {
              if (!view.buffer.name.startsWith('~')) return;
              const place = (of.startsWith('head chunk') ? microSegments(step, plan.capacity).find((s) => s.name === of)! : twin)
                .dispatches[index].views[at];
              expect(place.bytes).toBe(view.bytes);
              const life = lives.get(view.buffer) ?? { at: place.buffer, first: now, last: now };
              expect(place.buffer, 'one value, one place').toBe(life.at);
              lives.set(view.buffer, { ...life, last: now });
            });
            now++;
          });
        }
        const all = [...lives];
        for (const [i, [a, x]] of all.entries()) {
          for (const [b, y] of all.slice(i + 1)) {
            if (x.at === y.at && x.first <= y.last && y.first <= x.last)
              expect.fail(`${unit.name}: ${a.name} and ${b.name} share ${x.at.name}`);
          }
        }
      }
    }
  });

  test('the gradient of the residual stream is one buffer', () => {
    const dispatches = dispatchesOf(microSegments(plan.step(draws[0]), plan.capacity));
    const spread = dispatches.findIndex(({ label }) => label === 'head/spread');
    const after = dispatches.slice(spread).flatMap((dispatch) => writes(dispatch).map(({ buffer }) => buffer));
    expect(after.some((buffer) => buffer === stream[L])).toBe(true);
    for (const buffer of stream.slice(input.lowest, L)) expect(after.includes(buffer)).toBe(false);
    expect([...RESIDUAL_STREAM].filter((value) => saved[L - 1].has(value))).toEqual(['mid']);
  });
});
