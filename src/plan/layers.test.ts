// The op list of a layer and the parameter table describe the same model, and each adjoint needs no more than it must.

import { describe, expect, test } from 'vitest';
import { ODD_NAMES, SHAPE_NAMES, SHAPES } from '../testing/shapes';
import { parameterCount, parameterTable } from '../model/parameters';
import { layoutBlock } from './layout';
import { layerOps } from './layers';
import { RESIDUAL_STREAM } from './ops/op';
import { operation, valueWidths, type LayerOp } from './ops/registry';

describe.each(SHAPE_NAMES)('%s', (name) => {
  const shape = SHAPES[name];
  const ops = layerOps(shape);

  test('every op reads what an op before it wrote; the last writes the stream', () => {
    const known = new Set(['in']);
    for (const op of ops) {
      expect(known.has(op.x), op.x).toBe(true);
      if ((op.kind === 'linear' || op.kind === 'norm') && op.residual)
        expect(known.has(op.residual) && RESIDUAL_STREAM.has(op.residual), op.residual).toBe(true);
      // RoPE and the norm of heads work in place.
      expect(known.has(op.y)).toBe(op.kind === 'rope' || op.kind === 'head_norm');
      known.add(op.y);
    }
    expect(ops.at(-1)!.y).toBe('out');
    const writers = ops.filter((op) => RESIDUAL_STREAM.has(op.y));
    expect(writers.map((op) => [op.kind, op.residual])).toEqual(['in', 'mid'].map((from) => [shape.sandwich ? 'norm' : 'linear', from]));
  });

  test('linears cover the matrices and biases of the table, each once', () => {
    const rows = parameterTable(shape).filter((row) => row.layer === 0);
    const { places } = layoutBlock(rows);
    const used: string[] = [];
    for (const op of ops) {
      for (const tensor of operation(op).tensors(op)) {
        used.push(tensor);
        const ofNorm = op.kind === 'norm' ? shape.width : 2 * shape.headDim;
        const wanted = op.kind !== 'linear' ? ofNorm : op.kind === 'linear' && tensor === op.bias ? op.out : op.in * op.out;
        expect(places.get(tensor)?.elements, tensor).toBe(wanted);
      }
      if (op.kind !== 'linear') continue;
      expect(op.slices.reduce((sum, slice) => sum + slice.out, 0)).toBe(op.out);
      for (const slice of op.slices) {
        const matrix = rows.find((row) => row.local === `${slice.name}.weight`)!;
        expect(matrix.shape).toEqual(op.layout === 'nt' ? [slice.out, op.in] : [op.in, slice.out]);
      }
    }
    const groups = rows.map((row) => row.fused ?? row.local);
    expect([...used].sort()).toEqual([...new Set(groups)].sort());
  });

  test('widths follow the shape', () => {
    const widths = valueWidths(ops, shape);
    const { width: C, heads, kvHeads, headDim, ff } = shape;
    const gated = shape.activation.endsWith('glu') ? 2 : 1;
    expect(Object.fromEntries(widths)).toEqual({
      in: C,
      mid: C,
      out: C,
      n1: C,
      n2: C,
      qkv: (heads + 2 * kvHeads) * headDim,
      attn: heads * headDim,
      'attn.lse': heads,
      up: gated * ff,
      act: ff,
      ...(shape.sandwich && { 'mid.raw': C, 'mid.rstd': 1, 'out.raw': C, 'out.rstd': 1 }),
      ...(shape.qkNorm && { 'qkv.raw': (heads + kvHeads) * headDim, 'qkv.rstd': heads + kvHeads }),
      ...(shape.norm === 'layer' ? { 'n1.stats': 2, 'n2.stats': 2 } : { 'n1.rstd': 1, 'n2.rstd': 1 }),
    });
    for (const op of ops) for (const { name: own, width } of operation(op).auxiliaries(op, shape)) expect(widths.get(own)).toBe(width);
  });

  test('a linear keeps nothing for its input and its input for its weights', () => {
    const by = (kind: LayerOp['kind']): LayerOp[] => ops.filter((op) => op.kind === kind);
    const kept = (op: LayerOp) => [operation(op).keptForInput(op, shape), operation(op).keptForWeights(op, shape)];
    for (const op of by('linear')) expect(kept(op)).toEqual([[], [op.x]]);
    for (const op of by('rope')) expect(kept(op)).toEqual([[], []]);
    for (const op of by('head_norm')) {
      const raw = ['qkv.raw', 'qkv.rstd'];
      expect(kept(op)).toEqual([raw, raw]);
    }
    for (const op of by('attention')) expect(kept(op)).toEqual([['qkv', 'attn', 'attn.lse'], []]);
    const activation = shape.activation.startsWith('gelu') ? 'gelu' : (shape.activation as 'swiglu' | 'geglu');
    for (const op of by(activation)) expect(kept(op)).toEqual([['up'], []]);
    for (const op of by('norm')) {
      const stats = [`${op.y}.${shape.norm === 'layer' ? 'stats' : 'rstd'}`];
      expect(kept(op)).toEqual([
        [op.x, ...stats],
        [op.x, ...stats],
      ]);
    }
    expect(by(activation)).toHaveLength(1);
    expect(by('rope')).toHaveLength(shape.rope ? 1 : 0);
    expect(by('head_norm')).toHaveLength(shape.qkNorm ? 1 : 0);
  });
});

test('parameter counts are those that are published', () => {
  expect(parameterCount(parameterTable(SHAPES['GPT-2 124M']))).toBe(124_439_808);
  expect(parameterCount(parameterTable(SHAPES['SmolLM2-135M']))).toBe(134_515_008);
});

test('tables name every tensor once, tied heads not at all', () => {
  for (const name of ODD_NAMES) {
    const table = parameterTable(SHAPES[name]);
    expect(new Set(table.map((row) => row.name)).size).toBe(table.length);
    expect(table.some((row) => row.role === 'head')).toBe(!SHAPES[name].tied);
    expect(table.some((row) => row.role === 'position')).toBe(SHAPES[name].rope === null);
  }
});
