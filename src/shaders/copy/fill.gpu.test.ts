import { describe, expect, it } from 'vitest';
import { scratch } from '../../gpu/lab';
import { nodeLab } from '../../testing/node-lab';
import { fill } from './fill';
import { fillRef } from './fill.ref';
import { Inputs } from '../../testing/rowwise';

describe('fill', () => {
  it('writes the range, and with onlyFirst nothing after the first micro-batch', async () => {
    const lab = await nodeLab();
    const inputs = new Inputs();
    const old = new Array<number>(40).fill(7);
    for (const [onlyFirst, accumulate] of [
      [false, true],
      [true, false],
      [true, true],
    ]) {
      const x = inputs.f32('x', old);
      for (const elements of [36, 33]) {
        const [got] = await lab.run([fill({ label: 'test', x, elements, value: -1.5, onlyFirst })], inputs.data, [x], { accumulate });
        expect([...got]).toEqual([...fillRef(old, elements, -1.5, onlyFirst, accumulate)]);
      }
    }
  });

  it('writes the end of an odd range, and one beyond 65,535 workgroups', async () => {
    const lab = await nodeLab();
    const odd = scratch('odd', 35);
    const [got] = await lab.run([fill({ label: 'test', x: { ...odd, bytes: 35 * 4 }, elements: 35, value: 2 })], new Map(), [odd]);
    expect([...got]).toEqual(new Array<number>(36).fill(2));

    const elements = 65535 * 1024 + 4096;
    const inputs = new Inputs();
    const large = scratch('large', elements);
    // Only the ends are looked at: a readback of 256 MiB would be most of the test.
    inputs.data.set(large.buffer, new Float32Array(4));
    const end = { ...large, offset: 65535 * 4096 - 1024, bytes: 4096 * 4 + 1024 };
    const dispatched = fill({ label: 'test', x: large, elements, value: 3 });
    expect(dispatched.grid).toEqual([65535, 2, 1]);
    const [tail] = await lab.run([dispatched], inputs.data, [end]);
    expect(tail.every((value) => value === 3)).toBe(true);
  });

  it('refuses a view that is too small', () => {
    expect(() => fill({ label: 'test', x: scratch('x', 32), elements: 33, value: 0 })).toThrow(/fill, x/);
  });
});
