// Steps of a plan as data: sound under WebGPU's default limits for every draw, no work for what is frozen, one
// update for what trains, and every dispatch's parameters in the table.

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../dispatch/limits';
import { drawPeriod } from '../lisa/schedule';
import { assignments, dispatchesOf, everySegment, METHODS, runConfig, runPlan, stepSegments, viewsBy } from '../testing/plans';
import { ODD_NAMES, SHAPE_NAMES, SHAPES } from '../testing/shapes';
import { layoutBlock } from './layout';
import { parameterTable } from '../model/parameters';
import { KERNEL_CHOICES, scheduleConfig } from './input';
import type { Assignment, RunPlan } from './run-plan';
import { microSegments } from './step-plan';
import type { ShardedBuffer } from './sharded-buffer';
import type { Dispatch } from '../dispatch/types';
import { amount } from '../dispatch/extents';
import { planFaults } from '../dispatch/validate';

const method = (name: string) => METHODS.find((m) => m.name === name)!;
const layerOf = ({ label }: Dispatch): number | null => {
  const found = /^layer\.(\d+)\//.exec(label);
  return found ? Number(found[1]) : null;
};
const isBackward = ({ label }: Dispatch): boolean => !/ fwd( |$)/.test(label) && !/ gen( |$)/.test(label);

describe.each(ODD_NAMES)('%s', (name) => {
  const shape = SHAPES[name];

  test.each(METHODS)("$name: every layer in every slot keeps WebGPU's rules under default limits", (of) => {
    const plan = runPlan(shape, runConfig(shape, of));
    expect(planFaults(plan.allBuffers, everySegment(plan), plan.capacity, DEFAULT_LIMITS)).toEqual([]);
    // The other kernels keep them too, in the same memory.
    const sizes = (p: RunPlan): [string, number][] => p.allBuffers.map(({ name: buffer, bytes }) => [buffer, bytes]);
    for (const kernels of KERNEL_CHOICES) {
      const other = runPlan(shape, runConfig(shape, of), { kernels, dispatchFlops: 1e12 });
      expect(planFaults(other.allBuffers, everySegment(other), other.capacity, DEFAULT_LIMITS)).toEqual([]);
      expect(sizes(other)).toEqual(sizes(plan));
    }
  });

  test.each(['LISA γ=1', 'LISA γ=2', 'LISA γ=1, drawn layers only', 'LISA γ=2, drawn layers only'])(
    '%s: a frozen layer gets no dW, keeps no inputs of linears',
    (of) => {
      const plan = runPlan(shape, runConfig(shape, method(of)));
      for (const assignment of assignments(plan)) {
        const step = plan.step(assignment);
        const lowest = plan.input.alwaysOn.embedding ? 0 : Math.min(...assignment.keys());
        const dispatches = dispatchesOf(microSegments(step, plan.capacity));
        for (let layer = 0; layer < shape.layers; layer++) {
          const own = dispatches.filter((d) => layerOf(d) === layer);
          const backward = own.filter(isBackward);
          const gradients = backward.flatMap((d) => viewsBy(d, 'read_write')).filter((v) => v.buffer.memory === 'gradients');
          if (assignment.has(layer)) {
            const slot = plan.buffers.slots[assignment.get(layer)!];
            expect(gradients.every((v) => slot.gradient.shards.some(({ view }) => view.buffer === v.buffer))).toBe(true);
            expect(gradients.length).toBeGreaterThan(0);
          } else {
            expect(gradients).toEqual([]);
            expect(
              backward.some((d) => /tn|column_sum|_dw/.test(d.kernel.name)),
              'a weight gradient',
            ).toBe(false);
            const written = own.flatMap((d) => viewsBy(d, 'read_write')).filter((v) => v.buffer.name.startsWith('slot.'));
            expect(written, 'values for weight gradients').toEqual([]);
          }
          // Below the lowest trained layer there is no backward at all.
          expect(backward.length > 0).toBe(layer >= lowest);
        }
      }
      for (const saved of plan.buffers.saved) for (const input of ['n1', 'n2', 'act']) expect(saved.has(input), input).toBe(false);
      plan.buffers.saved.forEach((saved, layer) => expect(saved.size > 0).toBe(layer >= plan.input.lowest));
    },
  );

  test.each(METHODS)('$name: what trains is updated once, whole; what is frozen is never bound for writing', (of) => {
    const plan = runPlan(shape, runConfig(shape, of));
    for (const assignment of assignments(plan)) {
      const step = plan.step(assignment);
      const { blocks, adapters, alwaysOn } = plan.buffers;
      const trained = [
        ...[...alwaysOn.keys()].map((name) => blocks.get(name)!.weights),
        ...[...assignment.keys()].map((layer) => (plan.input.lora ? adapters[layer].weights : blocks.get(`layer.${layer}`)!.weights)),
      ];
      const updated = new Map<string, number>();
      for (const dispatch of dispatchesOf(stepSegments(step, plan))) {
        for (const { buffer, bytes } of viewsBy(dispatch, 'read_write')) {
          if (buffer.memory !== 'weights') continue;
          expect(dispatch.kernel.name).toBe('adamw');
          updated.set(buffer.name, (updated.get(buffer.name) ?? 0) + bytes);
        }
      }
      expect(Object.fromEntries(updated)).toEqual(
        Object.fromEntries(trained.flatMap(({ shards }) => shards.map(({ view }) => [view.buffer.name, view.bytes]))),
      );
    }
  });

  test('work: a trained layer costs three units of its matrices, a frozen one two', () => {
    const plan = runPlan(shape, runConfig(shape, method('LISA γ=1')));
    const products = (dispatches: readonly Dispatch[]): number =>
      dispatches.filter((d) => d.kernel.name.startsWith('matmul')).reduce((sum, d) => sum + amount(d.work.flops, plan.capacity), 0);
    const dispatches = dispatchesOf(microSegments(plan.step(new Map([[1, 0]])), plan.capacity));
    const units = [0, 1, 2].map((layer) => {
      const own = dispatches.filter((d) => layerOf(d) === layer);
      return products(own) / products(own.filter((d) => !isBackward(d)));
    });
    expect(units).toEqual([2, 3, 2]);
  });
});

test('the parameter table has a slot for every dispatch of random schedules', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...ODD_NAMES),
      fc.constantFrom('uniform' as const, 'bernoulli' as const, 'cycle' as const),
      fc.integer({ min: 1, max: 3 }),
      fc.record({ embedding: fc.boolean(), head: fc.boolean(), norm: fc.boolean() }),
      fc.integer({ min: 1, max: 2 ** 31 }),
      (name, lisaSampler, lisaLayers, alwaysOn, seed) => {
        const shape = SHAPES[name];
        const config = runConfig(shape, METHODS[1], { lisaSampler, lisaLayers, alwaysOn, seed, steps: 12, stepsPerPeriod: 3 });
        const plan = runPlan(shape, config);
        const draws = [0, 1, 2, 3].map((period) => drawPeriod(scheduleConfig(shape, config), period));
        const over = draws.map((layers): Assignment => new Map(layers.map((layer, i) => [layer, (i + layer) % plan.input.slots])));
        const valid = over.filter((assignment, i) => new Set(assignment.values()).size === draws[i].length);
        const known = plan.params.data.length;
        for (const dispatch of dispatchesOf(everySegment(plan, valid))) {
          const at = plan.params.offset(dispatch);
          expect(at % 256).toBe(0);
          expect(plan.params.data.slice(at, at + dispatch.params.length)).toEqual(dispatch.params);
          expect(at).toBeLessThan(known);
        }
      },
    ),
    { numRuns: 25 },
  );
});

test('a switch builds only the segments that it has not seen', () => {
  const shape = SHAPES['odd Llama, tied'];
  const plan = runPlan(shape, runConfig(shape, method('LISA γ=2')));
  const segmentsOf = (assignment: Assignment) => stepSegments(plan.step(assignment), plan);
  const [first, again] = [
    segmentsOf(
      new Map([
        [0, 0],
        [2, 1],
      ]),
    ),
    segmentsOf(
      new Map([
        [0, 0],
        [2, 1],
      ]),
    ),
  ];
  expect(again.every((segment, i) => segment === first[i])).toBe(true);
  const other = segmentsOf(
    new Map([
      [0, 0],
      [3, 1],
    ]),
  );
  const fresh = other.filter((segment) => !first.includes(segment)).map(({ name }) => name);
  expect(fresh.sort()).toEqual(['layer.2 bwd', 'layer.2 train', 'layer.3 bwd', 'layer.3 train', 'slot.1 → layer.3']);
});

describe('real models under default limits', () => {
  const faultsOf = (plan: RunPlan): string[] => {
    const over = assignments(plan);
    return planFaults(plan.allBuffers, everySegment(plan, [over[0], over[over.length - 1]]), plan.capacity, DEFAULT_LIMITS);
  };

  test.each(['wordsmith-2m', 'SmolLM2-135M', 'GPT-2 124M', 'Qwen2.5-0.5B'] as const)('%s', (name) => {
    for (const of of ['full', 'LISA γ=2', 'LoRA'])
      expect(faultsOf(runPlan(SHAPES[name], runConfig(SHAPES[name], method(of), { batchSize: 2, seqLen: 256 })))).toEqual([]);
  });

  test('an embedding matrix above the binding limit is bound in shards that cover it', () => {
    for (const shape of [SHAPES['GPT-2 124M'], { ...SHAPES['GPT-2 124M'], tied: false }, SHAPES['Qwen2.5-0.5B']]) {
      const plan = runPlan(shape, runConfig(shape, method('full')));
      const dispatches = dispatchesOf(microSegments(plan.step(assignments(plan)[0]), plan.capacity));
      const { weights } = plan.buffers.blocks.get('embedding')!;
      const { gradient } = plan.buffers.alwaysOn.get('embedding')!;
      const bytes = shape.vocab * shape.width * 4;
      const covered = (name: string, { shards }: ShardedBuffer): number =>
        dispatches
          .filter((d) => d.kernel.name === name && !d.label.includes('wpe'))
          .flatMap((d) => d.views.slice(0, 3))
          .filter((view) => shards.some((shard) => view.buffer === shard.view.buffer && shard.at + view.offset < bytes))
          .reduce((sum, view) => sum + view.bytes, 0);
      expect(bytes).toBeGreaterThan(DEFAULT_LIMITS.maxStorageBufferBindingSize);
      expect(covered('embedding_fwd', weights)).toBe(bytes);
      expect(covered('embedding_bwd_dw', gradient)).toBe(bytes);
      expect(covered('fill', gradient)).toBe(shape.tied ? 0 : bytes);
    }
  });
});

test('every tensor lies inside its block on its own 256 bytes, decayed ones first', () => {
  for (const name of SHAPE_NAMES) {
    const rows = parameterTable(SHAPES[name]);
    for (const block of new Set(rows.map((row) => row.block))) {
      const own = rows.filter((row) => row.block === block);
      const { places, bytes, decayElements } = layoutBlock(own);
      let end = 0;
      for (const row of [...own].sort((a, b) => places.get(a.local)!.offset - places.get(b.local)!.offset)) {
        const { offset, elements } = places.get(row.local)!;
        expect(elements).toBe(row.shape.reduce((a, b) => a * b, 1));
        expect(offset).toBeGreaterThanOrEqual(end);
        // Members of a fused group follow each other without a gap; all others start at a binding.
        const group = row.fused === null ? null : places.get(row.fused)!;
        if (!group || group.offset === offset) expect(offset % 256).toBe(0);
        else expect(offset).toBe(end);
        end = offset + 4 * elements;
        const decays = row.role !== 'norm' && row.role !== 'bias';
        expect(end <= decayElements * 4).toBe(decays);
      }
      expect(bytes - end).toBeLessThan(256);
      expect(bytes % 256).toBe(0);
    }
  }
});
