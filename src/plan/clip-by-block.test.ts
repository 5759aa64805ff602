// Layers that are clipped by their own norms: one gradient for all of them where they are updated at once, to the byte, and steps that
// hand it on only after its update.

import { describe, expect, test } from 'vitest';
import { DEFAULT_LIMITS } from '../dispatch/limits';
import { bytesByCategory } from '../dispatch/memory';
import { planFaults } from '../dispatch/validate';
import { closedForm } from '../testing/closed-form';
import { paramSlots } from '../testing/param-slots';
import { assignments, dispatchesOf, everySegment, METHODS, methodsByTurns, runConfig, stepSegments, viewsBy } from '../testing/plans';
import { ODD_NAMES, SHAPES } from '../testing/shapes';
import { forecast } from './forecast';
import { termBytes } from './forecast-formula';
import { planInput } from './input';
import { RunPlan } from './run-plan';

describe.each(ODD_NAMES.slice(1, 4))('%s', (name) => {
  const shape = SHAPES[name];
  const methods = methodsByTurns(ODD_NAMES.indexOf(name));

  test.each(methods)('$name: bytes equal the closed form, every segment is valid', (method) => {
    for (const gradAccum of [1, 2]) {
      const config = runConfig(shape, method, { gradClipMode: 'block', gradAccum });
      const plan = new RunPlan(planInput(shape, config));
      const { input } = plan;
      expect(input.updateAtOnce).toBe(gradAccum === 1);
      const want = closedForm({ ...input, rank: input.lora?.rank ?? 0, paramSlots: paramSlots(plan) });
      expect(bytesByCategory(plan.allBuffers)).toEqual(want);
      expect(planFaults(plan.allBuffers, everySegment(plan), plan.capacity, DEFAULT_LIMITS)).toEqual([]);
      const shown = forecast(shape, config);
      expect(shown.bytes).toEqual(want);
      for (const { bytes, formula } of shown.parts) expect(formula.reduce((sum, term) => sum + termBytes(term), 0)).toBe(bytes);
    }
  });

  test.each(methods)('$name: each layer has the gradient from the first dispatch that writes it to its update', (method) => {
    const plan = new RunPlan(planInput(shape, runConfig(shape, method, { gradClipMode: 'block' })));
    const [gradient] = plan.buffers.slots[0].gradient.shards.map(({ view }) => view.buffer);
    for (const assignment of assignments(plan)) {
      const told: string[] = [];
      for (const dispatch of dispatchesOf(stepSegments(plan.step(assignment), plan))) {
        if (!dispatch.views.some(({ buffer }) => buffer === gradient)) continue;
        const writes = viewsBy(dispatch, 'read_write').some(({ buffer }) => buffer === gradient);
        const owner = writes ? `layer.${/^layer\.(\d+)/.exec(dispatch.label)![1]}` : /slot\.\d+/.exec(dispatch.label)![0];
        if (told.at(-1) !== owner) told.push(owner);
      }
      const order = [...assignment].sort(([a], [b]) => b - a);
      expect(told).toEqual(order.flatMap(([layer, slot]) => [`layer.${layer}`, `slot.${slot}`]));
    }
  });
});

test('what it saves: the gradients of all layers in training but one', () => {
  const shape = SHAPES['SmolLM2-135M'];
  const bytes = (method: string, gradClipMode: 'global' | 'block'): number =>
    forecast(
      shape,
      runConfig(
        shape,
        METHODS.find((each) => each.name === method)!,
        { gradClipMode },
      ),
    ).bytes.gradients;
  const layer = 4 * 3_540_096;
  expect(bytes('LISA γ=2', 'global') - bytes('LISA γ=2', 'block')).toBe(layer);
  expect(bytes('full', 'global') - bytes('full', 'block')).toBe(29 * layer);
});
