// Bytes of optimizer state in 8 bits, by arithmetic: 260 bytes for 256 elements of m, and of v, in every buffer of gradients.

import { describe, expect, test } from 'vitest';
import { bytesByCategory } from '../dispatch/memory';
import { methodsByTurns, runConfig, runPlan } from '../testing/plans';
import { ODD_NAMES, SHAPES } from '../testing/shapes';
import { forecast } from './forecast';
import { termBytes } from './forecast-formula';

describe.each(ODD_NAMES)('%s', (name) => {
  test.each(methodsByTurns(ODD_NAMES.indexOf(name)))('$name: m and v take a quarter and a 64th, and nothing else changes', (method) => {
    const config = runConfig(SHAPES[name], method);
    for (const shardBytes of [undefined, 1]) {
      const [wide, small] = (['f32', 'int8'] as const).map((optimizerState) =>
        runPlan(SHAPES[name], { ...config, optimizerState }, { shardBytes }),
      );
      const { optimizer: _, inputs: __, ...rest } = bytesByCategory(wide.allBuffers);
      const bytes = bytesByCategory(small.allBuffers);
      expect(bytes).toMatchObject(rest);
      const gradients = small.allBuffers.filter(({ memory }) => memory === 'gradients');
      const one = gradients.reduce((sum, { bytes: held }) => sum + 16 * Math.ceil((260 * Math.ceil(held / 4 / 256)) / 16), 0);
      expect(bytes.optimizer).toBe(2 * one);
    }
    const { parts, total } = forecast(SHAPES[name], { ...config, optimizerState: 'int8' });
    for (const part of parts) expect(part.formula.reduce((sum, term) => sum + termBytes(term), 0)).toBe(part.bytes);
    expect(parts.reduce((sum, part) => sum + part.bytes, 0)).toBe(total);
  });
});
