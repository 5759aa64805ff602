import { it } from 'vitest';
import { nodeLab, scratch } from '/work/main/src/gpu/lab';
import { attentionFwd, attentionBwdDkv, attentionBwdDq } from '/work/main/src/shaders/attention';
it('compile times', async () => {
  const lab = await nodeLab();
  for (const headDim of [16, 32, 64, 6]) for (const family of ['register', 'shared'] as const) {
    const c = { label: 'x', rows: 64, heads: 2, kvHeads: 2, headDim, scale: 1, family };
    const v = { qkv: scratch('a', 64 * 6 * headDim), dout: scratch('b', 64 * 2 * headDim), segStart: scratch('c', 64), segEnd: scratch('d', 64), o: scratch('e', 64 * 2 * headDim), lse: scratch('f', 128), delta: scratch('g', 128), dqkv: scratch('h', 64 * 6 * headDim) };
    for (const d of [attentionFwd({ ...c, ...v }), attentionBwdDq({ ...c, ...v }), attentionBwdDkv({ ...c, ...v })]) {
      const t0 = performance.now();
      await lab.pipelines.get(d.kernel);
      console.log(d.kernel.key, (performance.now() - t0).toFixed(0), 'ms compile');
    }
  }
}, 300000);
