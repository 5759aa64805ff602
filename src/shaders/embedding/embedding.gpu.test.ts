import { describe, expect, it } from 'vitest';
import { scratch } from '../../gpu/lab';
import { nodeLab } from '../../testing/node-lab';
import { narrow } from '../../base/half';
import { decodeTensor } from '../../io/formats/safetensors';
import { randomArray, relativeError, seededRandom } from '../../testing/compare';
import { embeddingBwdDw, embeddingFwd } from './embedding';
import { embeddingBwdRef, embeddingFwdRef } from './embedding.ref';
import { Inputs, writtenFrom } from '../../testing/rowwise';

/** What the host prepares for embeddingBwdDw: rows by ascending id, each group's start, each group's id. */
function groupsOf(ids: readonly number[]): { order: number[]; start: number[]; id: number[] } {
  const order = ids.map((_, n) => n).sort((a, b) => ids[a] - ids[b] || a - b);
  const start: number[] = [];
  const id: number[] = [];
  order.forEach((n, k) => {
    if (k === 0 || ids[n] !== ids[order[k - 1]]) {
      start.push(k);
      id.push(ids[n]);
    }
  });
  return { order, start: [...start, ids.length], id };
}

interface Shape {
  rows: number;
  live: number;
  width: number;
  vocab: number;
  /** Segment lengths of the live rows. */
  segments: number[];
}

describe('embedding', () => {
  const shapes: Shape[] = [
    { rows: 40, live: 37, width: 48, vocab: 301, segments: [20, 1, 16] },
    { rows: 9, live: 5, width: 35, vocab: 7, segments: [5] },
    { rows: 64, live: 64, width: 768, vocab: 1000, segments: [40, 24] },
  ];
  for (const { rows, live, width, vocab, segments } of shapes) {
    const random = seededRandom(rows);
    const ids = Array.from({ length: rows }, () => Math.floor(random() * Math.min(vocab, 12)) * Math.max(1, Math.floor(vocab / 12)));
    const starts = segments.flatMap((length, s) => new Array<number>(length).fill(segments.slice(0, s).reduce((a, b) => a + b, 0)));
    const name = `${live} of ${rows} rows of ${width}`;
    const table = randomArray(vocab * width, 1);

    it(`looks up rows, with and without positions: ${name}`, async () => {
      const lab = await nodeLab();
      const past = 3;
      const context = rows + past;
      const positions = randomArray(context * width, 2);
      const inputs = new Inputs();
      const views = { tokens: inputs.u32('tokens', ids), table: inputs.f32('table', table) };
      const learned = {
        positionTable: inputs.f32('positions', positions),
        segStart: inputs.u32('segStart', [...starts, ...new Array<number>(rows - live).fill(0)]),
      };
      const [plain, placed] = [scratch('x', rows * width), scratch('x placed', rows * width)];
      const sizes = { label: 'test', ...views, rows, width, live: { extent: 'rows' } as const };
      const [gotPlain, gotPlaced] = await lab.run(
        [embeddingFwd({ ...sizes, x: plain }), embeddingFwd({ ...sizes, x: placed, ...learned, scale: 1.5 })],
        inputs.data,
        [plain, placed],
        { extents: { rows: live }, past },
      );
      const end = live * width;
      expect([writtenFrom(gotPlain, end), writtenFrom(gotPlaced, end)]).toEqual([0, 0]);
      const want = embeddingFwdRef(ids, table, live, width);
      const scaled = table.map((value) => 1.5 * value);
      const wantPlaced = embeddingFwdRef(ids, scaled, live, width, { table: positions, segStart: starts, past });
      const found = { x: relativeError(gotPlain.subarray(0, end), want), placed: relativeError(gotPlaced.subarray(0, end), wantPlaced) };
      console.info('embedding_fwd', { rows, live, width, vocab }, found);
      expect(found.x).toBe(0);
      expect(found.placed).toBeLessThan(1e-7); // one addition
    });

    it(`adds the gradient of each id: ${name}`, async () => {
      const lab = await nodeLab();
      const inputs = new Inputs();
      const dxs = randomArray(rows * width, 3);
      const before = randomArray(vocab * width, 4);
      const found: Record<string, number> = {};
      for (const extent of ['tokenGroups', 'positionGroups'] as const) {
        const liveIds = extent === 'tokenGroups' ? ids.slice(0, live) : starts.map((start, n) => (n - start) % vocab);
        const groups = groupsOf(liveIds);
        const pad = (values: number[], size: number) => [...values, ...new Array<number>(size - values.length).fill(0)];
        const dw = inputs.f32('dw', before);
        const one = embeddingBwdDw({
          label: 'test',
          dw,
          dx: inputs.f32('dx', dxs),
          order: inputs.u32('order', pad(groups.order, rows)),
          groupStart: inputs.u32('groupStart', pad(groups.start, rows + 1)),
          groupId: inputs.u32('groupId', pad(groups.id, rows)),
          rows,
          groups: rows,
          width,
          extent,
          scale: extent === 'tokenGroups' ? 1.5 : 1,
        });
        // The other count is 0, so that a kernel that reads the wrong one does nothing.
        const counts = { tokenGroups: 0, positionGroups: 0, [extent]: groups.id.length };
        const [got] = await lab.run([one], inputs.data, [dw], { extents: { rows: live, ...counts } });
        found[extent] = relativeError(
          got.subarray(0, vocab * width),
          embeddingBwdRef(before, extent === 'tokenGroups' ? dxs.map((dx) => 1.5 * dx) : dxs, liveIds, live, width),
        );
        const touched = new Set(liveIds);
        const untouched = before.findIndex((_, i) => !touched.has(Math.floor(i / width)));
        if (untouched >= 0) expect(got[untouched]).toBe(before[untouched]);
      }
      console.info('embedding_bwd_dw', { rows, live, width, vocab }, found);
      for (const error of Object.values(found)) expect(error).toBeLessThan(1e-6); // sums of at most `rows` terms
    });
  }

  it.each(['f16', 'bf16'] as const)('looks up rows of a table that lies packed as %s, whole and in shards', async (stored) => {
    const lab = await nodeLab();
    const [rows, live, width, vocab] = [21, 18, 20, 131];
    const random = seededRandom(5);
    const ids = Array.from({ length: rows }, () => Math.floor(random() * vocab));
    const codes = narrow(randomArray(vocab * width, 6), stored);
    const values = decodeTensor(new Uint8Array(codes.buffer), stored);
    const positions = randomArray(rows * width, 7);
    const inputs = new Inputs();
    const table = { ...inputs.u32('table', new Uint32Array(codes.buffer)), stored };
    const common = { label: 'test', tokens: inputs.u32('tokens', ids), rows, width, live: { extent: 'rows' } as const };
    const placed = { positionTable: inputs.f32('positions', positions), segStart: inputs.u32('segStart', new Array<number>(rows).fill(0)) };
    const [x, y] = [scratch('x', rows * width), scratch('y', rows * width)];
    const shard = (first: number, count: number) => ({
      table: { ...table, offset: first * width * 2, bytes: count * width * 2 },
      shard: { first, count },
    });
    const [gotX, gotY] = await lab.run(
      [
        embeddingFwd({ ...common, ...placed, x, table }),
        embeddingFwd({ ...common, x: y, ...shard(0, 64) }),
        embeddingFwd({ ...common, x: y, ...shard(64, vocab - 64) }),
      ],
      inputs.data,
      [x, y],
      { extents: { rows: live } },
    );
    const segStart = new Array<number>(rows).fill(0);
    const want = embeddingFwdRef(ids, values, live, width, { table: positions, segStart, past: 0 });
    expect(relativeError(gotX.subarray(0, live * width), want)).toBeLessThan(1e-7);
    expect(relativeError(gotY.subarray(0, live * width), embeddingFwdRef(ids, values, live, width))).toBe(0);
    expect([writtenFrom(gotX, live * width), writtenFrom(gotY, live * width)]).toEqual([0, 0]);
    const odd = { label: 'test', tokens: common.tokens, rows: 1, width: 6, x };
    expect(() => embeddingFwd({ ...odd, table: { ...scratch('table', 21), stored } })).toThrow(/embedding_fwd, table/);
  });

  it('takes a table in shards, each with the rows of its own ids', async () => {
    const lab = await nodeLab();
    const [rows, live, width, vocab] = [20, 17, 12, 200];
    const random = seededRandom(8);
    const ids = Array.from({ length: rows }, (_, n) => (n < 3 ? [63, 64, 127][n] : Math.floor(random() * vocab)));
    const [table, dxs] = [randomArray(vocab * width, 5), randomArray(rows * width, 6)];
    const inputs = new Inputs();
    const tokens = inputs.u32('tokens', ids);
    const { order, start, id } = groupsOf(ids.slice(0, live));
    const pad = (values: number[], size: number) => [...values, ...new Array<number>(size - values.length).fill(0)];
    const groups = {
      order: inputs.u32('order', pad(order, rows)),
      groupStart: inputs.u32('start', pad(start, rows + 1)),
      groupId: inputs.u32('id', pad(id, rows)),
    };
    const [whole, dw, x] = [inputs.f32('table', table), inputs.f32('dw', table), scratch('x', rows * width)];
    const shards = [0, 64, 128].map((first) => ({ first, count: Math.min(64, vocab - first) }));
    const rangeOf = ({ buffer }: typeof dw, { first, count }: (typeof shards)[number]) => ({
      buffer,
      offset: first * width * 4,
      bytes: count * width * 4,
    });
    const common = { label: 'test', rows, width };
    const dispatches = shards.flatMap((shard) => [
      embeddingFwd({ ...common, x, tokens, table: rangeOf(whole, shard), shard, live: { extent: 'rows' } }),
      embeddingBwdDw({
        ...common,
        dw: rangeOf(dw, shard),
        shard,
        dx: inputs.f32('dx', dxs),
        ...groups,
        groups: rows,
        extent: 'tokenGroups',
      }),
    ]);
    const [gotX, gotDw] = await lab.run(dispatches, inputs.data, [x, dw], { extents: { rows: live, tokenGroups: id.length } });
    expect(relativeError(gotX.subarray(0, live * width), embeddingFwdRef(ids, table, live, width))).toBe(0);
    expect(writtenFrom(gotX, live * width)).toBe(0);
    expect(relativeError(gotDw.subarray(0, vocab * width), embeddingBwdRef(table, dxs, ids.slice(0, live), live, width))).toBeLessThan(
      1e-6,
    );
  });

  it('refuses positions without segments, and a view that is too small', () => {
    const views = { x: scratch('x', 64), tokens: scratch('tokens', 4), table: scratch('table', 160) };
    expect(() => embeddingFwd({ label: 'test', ...views, positionTable: scratch('p', 64), rows: 4, width: 16 })).toThrow(
      /positionTable and segStart/,
    );
    expect(() => embeddingFwd({ label: 'test', ...views, rows: 8, width: 16 })).toThrow(/embedding_fwd, x/);
  });
});
