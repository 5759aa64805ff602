// One step of full training of a GPT-2 in jax-js: loss over every token, gradients by jax-js, AdamW without decay or
// clipping. Weights and batch come from files, so that the loss can be compared with ours step by step.
// Tokens are looked up as products with one-hot rows, because jit() of jax-js 0.1.25 refuses the gradient of a gather.
// That adds about a tenth to its work. jax-js counts references: a use of an array consumes it, `.ref` keeps it.

import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { blockUntilReady, defaultDevice, init, jit, nn, numpy as np, tree, valueAndGrad } from '@jax-js/jax';

const layerNorm = (x, w, b, epsilon) => nn.standardize(x, -1, { epsilon }).mul(w).add(b);

/** One GPT-2 layer, Conv1D weights [in, out]. x: [B, T, C] */
function block(x, p, { heads, headDim, eps, batch, length }) {
  const normed = layerNorm(x.ref, p['ln_1.weight'], p['ln_1.bias'], eps);
  const qkv = np.matmul(normed, p['attn.c_attn.weight']).add(p['attn.c_attn.bias']);
  const [q, k, v] = np.split(qkv, 3, -1).map((part) => part.reshape([batch, length, heads, headDim]));
  const mixed = nn.dotProductAttention(q, k, v, { isCausal: true }).reshape([batch, length, heads * headDim]);
  const mid = x.add(np.matmul(mixed, p['attn.c_proj.weight']).add(p['attn.c_proj.bias']));
  const up = np.matmul(layerNorm(mid.ref, p['ln_2.weight'], p['ln_2.bias'], eps), p['mlp.c_fc.weight']).add(p['mlp.c_fc.bias']);
  return mid.add(np.matmul(nn.gelu(up, { approximate: true }), p['mlp.c_proj.weight']).add(p['mlp.c_proj.bias']));
}

/** @param {{ folder: string }} task */
export async function prepare({ folder }) {
  if (!(await init('webgpu')).includes('webgpu')) throw new Error('jax-js found no WebGPU device.');
  defaultDevice('webgpu');
  const { shape, tensors, tokens, labels, lr, beta1, beta2, epsilon } = JSON.parse(await readFile(path.join(folder, 'task.json'), 'utf8'));
  const bytes = await readFile(path.join(folder, 'weights.bin'));
  const values = new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const [batch, length] = [tokens.length, tokens[0].length];
  const sizes = { ...shape, batch, length };

  const take = (t) => np.array(values.slice(t.at, t.at + t.elements)).reshape(t.shape);
  let params = { top: {}, layers: Array.from({ length: shape.layers }, () => ({})) };
  for (const t of tensors) (t.layer === null ? params.top : params.layers[t.layer])[t.local] = take(t);
  const zeros = () => tree.map((p) => np.zeros(p.shape), tree.ref(params));
  let m = zeros();
  let v = zeros();

  const ids = (rows) => np.array(Int32Array.from(rows.flat()), { dtype: np.int32 }).reshape([batch, length]);
  const inputs = ids(tokens);
  const targets = ids(labels);

  function lossOf({ top, layers }, x, y) {
    let h = np.matmul(nn.oneHot(x, shape.vocab), top['wte.weight'].ref).add(top['wpe.weight']);
    for (const p of layers) h = block(h, p, sizes);
    const last = layerNorm(h, top['ln_f.weight'], top['ln_f.bias'], shape.eps);
    const logits = np.matmul(last, np.transpose(top['wte.weight']));
    const picked = np.sum(nn.logSoftmax(logits, -1).mul(nn.oneHot(y, shape.vocab)), -1);
    return np.mean(picked).mul(-1);
  }

  // The corrections for the first steps' bias are arguments, so that all steps share one compiled program.
  const step = jit((p, mm, vv, x, y, correct1, correct2) => {
    const [loss, gradients] = valueAndGrad(lossOf)(tree.ref(p), x, y);
    const m1 = tree.map((old, g) => old.mul(beta1).add(g.mul(1 - beta1)), mm, tree.ref(gradients));
    const v1 = tree.map((old, g) => old.mul(beta2).add(np.square(g).mul(1 - beta2)), vv, gradients);
    const next = tree.map(
      (old, a, b) => old.sub(a.mul(correct1.ref).mul(lr).div(np.sqrt(b.mul(correct2.ref)).add(epsilon))),
      p,
      tree.ref(m1),
      tree.ref(v1),
    );
    correct1.dispose();
    correct2.dispose();
    return [loss, next, m1, v1];
  });

  let count = 0;
  return async () => {
    count++;
    const correct1 = np.array(1 / (1 - beta1 ** count));
    const correct2 = np.array(1 / (1 - beta2 ** count));
    const [loss, ...state] = step(params, m, v, inputs.ref, targets.ref, correct1, correct2);
    [params, m, v] = state;
    await blockUntilReady(tree.ref(state));
    return (await loss.data())[0];
  };
}
