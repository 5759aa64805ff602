// The validator's rules bite: for each rule there is a dispatch or buffer that breaks it and nothing else.

import { describe, expect, test } from 'vitest';
import { AppError } from '../base/errors';
import { DEFAULT_LIMITS } from './limits';
import { dispatch, kernel } from './kernel';
import { FULL_VIEW, type BufferSpec, type Dispatch, type Segment, type View, type Kernel } from './types';
import { METHODS, runConfig, runPlan } from '../testing/plans';
import { SHAPES } from '../testing/shapes';
import type { Extents } from './extents';
import { assertPlan, planFaults } from './validate';

const CAPACITY: Extents = { rows: 8, targets: 8, tokenGroups: 4, positionGroups: 4, pairs: 36 };
const spec = (name: string, bytes = 1024, changes: Partial<BufferSpec> = {}): BufferSpec => ({
  name,
  bytes,
  memory: 'activations',
  kind: 'storage',
  ...changes,
});

const source = (bindings: readonly ['read' | 'read_write', string][], body = '', size = '64'): string =>
  `${bindings.map(([access, name], i) => `@group(0) @binding(${i + 2}) var<storage, ${access}> ${name}: array<f32>;`).join('\n')}
${body}
@compute @workgroup_size(${size})
fn main() {}`;

const COPY = kernel('test_copy', [
  source([
    ['read_write', 'y'],
    ['read', 'x'],
  ]),
]);
const PAIR = kernel('test_pair', [
  source([
    ['read_write', 'y'],
    ['read_write', 'z'],
  ]),
]);

interface Case {
  readonly of?: Kernel;
  readonly views?: Record<string, View>;
  readonly change?: Partial<Dispatch>;
  readonly buffers?: readonly BufferSpec[];
}

const [y, x] = [spec('y'), spec('x')];
const ranged = (buffer: BufferSpec, offset: number, bytes: number): View => ({ buffer, offset, bytes });

function faults({ of = COPY, views = { y: FULL_VIEW(y), x: FULL_VIEW(x) }, change = {}, buffers = [y, x] }: Case): string[] {
  const made = { ...dispatch(of, 'case', views, {}, [1, 1, 1], { flops: {}, bytes: {} }), ...change };
  return planFaults(buffers, [{ name: 'segment', dispatches: [made] }], CAPACITY, DEFAULT_LIMITS);
}

test('a sound dispatch has no faults', () => {
  expect(faults({})).toEqual([]);
  const shared = spec('shared');
  expect(
    faults({ of: PAIR, views: { y: ranged(shared, 0, 256), z: ranged(shared, 256, 256) }, buffers: [shared] }),
    'disjoint writes',
  ).toEqual([]);
  const reads = kernel('test_reads', [
    source([
      ['read_write', 'y'],
      ['read', 'a'],
      ['read', 'b'],
    ]),
  ]);
  expect(faults({ of: reads, views: { y: FULL_VIEW(y), a: FULL_VIEW(x), b: FULL_VIEW(x) } }), 'one buffer read twice').toEqual([]);
});

const many = (count: number): [Kernel, Record<string, View>] => {
  const names = Array.from({ length: count }, (_, i) => `b${i}`);
  return [
    kernel(`test_many_${count}`, [source(names.map((name) => ['read', name]))]),
    Object.fromEntries(names.map((name) => [name, FULL_VIEW(x)])),
  ];
};

const CASES: Record<string, [Case, RegExp]> = {
  'a missing view': [{ change: { views: [FULL_VIEW(y)] } }, /1 views for 2 bindings/],
  'nine storage buffers': [{ of: many(9)[0], views: many(9)[1] }, /9 storage buffers/],
  'parameters above 256 bytes': [{ change: { params: new Uint8Array(272) } }, /params of 272/],
  'parameters that are not a multiple of 16': [{ change: { params: new Uint8Array(20) } }, /params of 20/],
  'a buffer outside the plan': [{ buffers: [y] }, /x is not in the plan/],
  'a uniform buffer as storage': [
    ((): Case => {
      const uniform = spec('uniform', 256, { kind: 'uniform' });
      return { views: { y: FULL_VIEW(y), x: FULL_VIEW(uniform) }, buffers: [y, uniform] };
    })(),
    /uniform is not a storage buffer/,
  ],
  'an offset that is not a multiple of 256': [{ views: { y: FULL_VIEW(y), x: ranged(x, 128, 64) } }, /offset 128/],
  'a size that is not a multiple of 4': [{ views: { y: FULL_VIEW(y), x: ranged(x, 0, 6) } }, /size 6/],
  'an empty range': [{ views: { y: FULL_VIEW(y), x: ranged(x, 0, 0) } }, /size 0/],
  'a range past the end': [{ views: { y: FULL_VIEW(y), x: ranged(x, 256, 1024) } }, /range ends at 1280 of 1024/],
  'a binding above the limit': [
    ((): Case => {
      const large = spec('large', 2 ** 27 + 256);
      return { views: { y: FULL_VIEW(y), x: FULL_VIEW(large) }, buffers: [y, large] };
    })(),
    /above the device's binding limit/,
  ],
  'reading what it writes, disjoint ranges too': [
    { views: { y: ranged(y, 0, 256), x: ranged(y, 512, 256) }, buffers: [y] },
    /read and write y/,
  ],
  'overlapping writes': [{ of: PAIR, views: { y: ranged(y, 0, 512), z: ranged(y, 256, 256) }, buffers: [y] }, /overlap in y/],
  'too many workgroups': [{ change: { grid: [65536, 1, 1] } }, /65536 workgroups in a dimension are above the device's limit/],
  'too many workgroups at capacity': [
    { change: { grid: [{ extent: 'rows', per: 1, times: 10000 }, 1, 1] } },
    /80000 workgroups in a dimension are above the device's limit/,
  ],
  'half a workgroup': [{ change: { grid: [0.5, 1, 1] } }, /grid dimension 0.5/],
  'too many invocations': [
    {
      of: kernel('test_wide', [
        source(
          [
            ['read_write', 'y'],
            ['read', 'x'],
          ],
          'const SIZE = 16u;',
          'SIZE, SIZE * 2 - 8',
        ),
      ]),
    },
    /384 invocations/,
  ],
  'a workgroup of unknown size': [
    {
      of: kernel('test_unknown', [
        source(
          [
            ['read_write', 'y'],
            ['read', 'x'],
          ],
          '',
          'SIZE',
        ),
      ]),
    },
    /NaN invocations/,
  ],
  'workgroup memory of unknown size': [
    {
      of: kernel('test_unknown_memory', [
        source(
          [
            ['read_write', 'y'],
            ['read', 'x'],
          ],
          'var<workgroup> tile: array<Thing, 4>;',
        ),
      ]),
    },
    /NaN bytes of workgroup memory/,
  ],
  'too much workgroup memory': [
    {
      of: kernel(
        'test_shared',
        [
          source(
            [
              ['read_write', 'y'],
              ['read', 'x'],
            ],
            'var<workgroup> tile: array<vec4f, TILE * (TILE + 1)>;',
          ),
        ],
        { TILE: 32 },
      ),
    },
    /16896 bytes of workgroup memory/,
  ],
};

describe('broken dispatches', () => {
  test.each(Object.entries(CASES))('%s', (_, [broken, message]) => {
    const found = faults(broken);
    expect(found).toHaveLength(1);
    expect(found[0]).toMatch(message);
    expect(found[0]).toMatch(/^segment: case \(test_\w+\): /);
  });
});

test('broken buffers', () => {
  const found = (buffers: readonly BufferSpec[]): string[] => planFaults(buffers, [], CAPACITY, DEFAULT_LIMITS);
  expect(found([y, x])).toEqual([]);
  expect(found([y, y])).toEqual(['a buffer is listed twice']);
  expect(found([spec('odd', 20)])).toEqual([expect.stringContaining('not a positive multiple of 16')]);
  expect(found([spec('none', 0)])).toEqual([expect.stringContaining('not a positive multiple of 16')]);
  expect(found([spec('huge', 2 ** 28 + 16)])).toEqual([expect.stringContaining("above the device's buffer limit")]);
});

test("a plan that the device is too small for is the device's fault, any other ours", () => {
  const code = (buffers: readonly BufferSpec[], segments: readonly Segment[] = []): string => {
    try {
      assertPlan(buffers, segments, CAPACITY, DEFAULT_LIMITS);
      return 'none';
    } catch (error) {
      return error instanceof AppError ? error.code : 'other';
    }
  };
  expect(code([y])).toBe('none');
  expect(code([spec('huge', 2 ** 28 + 16)])).toBe('LIMIT_TOO_SMALL');
  expect(code([spec('odd', 20)])).toBe('INTERNAL');
});

test('damage to any dispatch of a real step is found', () => {
  const shape = SHAPES['odd Llama, untied'];
  const plan = runPlan(shape, runConfig(shape, METHODS[0]));
  const segments = plan.builtSegments();
  expect(planFaults(plan.allBuffers, segments, plan.capacity, DEFAULT_LIMITS)).toEqual([]);
  let damaged = 0;
  for (const { name, dispatches } of segments) {
    for (const one of dispatches) {
      const writes = one.kernel.bindings.findIndex((b) => b.access === 'read_write');
      const reads = one.kernel.bindings.findIndex((b) => b.access === 'read');
      if (reads < 0) continue;
      // Bind what is written where something is read.
      const views = one.views.map((view, at) => (at === reads ? one.views[writes] : view));
      const found = planFaults(plan.allBuffers, [{ name, dispatches: [{ ...one, views }] }], plan.capacity, DEFAULT_LIMITS);
      expect(found.length, one.label).toBeGreaterThan(0);
      damaged++;
    }
  }
  expect(damaged).toBeGreaterThan(50);
});
