// GPT-2 in float64, plain loops, with GELU as llama.cpp's CPU code has it: looked up in a table by the argument rounded to
// f16, and the value rounded to f16. It distinguishes that rounding, which no file can avoid, from an error in the
// file.

import { narrow, f16ToF32 } from '../../src/base/half';
import type { ModelFiles } from '../../src/io/sources/model-files';
import { logSoftmax } from './ours';

type Vector = Float64Array<ArrayBuffer>;

const half = (x: number): number => f16ToF32(narrow(Float32Array.of(x), 'f16'))[0];
const gelu = (x: number): number => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * x * (1 + 0.044715 * x * x)));
const tableGelu = (x: number): number => (x <= -10 ? 0 : x >= 10 ? x : half(gelu(half(x))));

/** Log-probabilities after each token of the text; `rounded`: GELU by the table. */
export async function gpt2LogProbs(files: ModelFiles, ids: readonly number[], rounded: boolean): Promise<Vector[]> {
  const { shape, table } = files;
  const weights = new Map<string, Float32Array>();
  for (const row of table) weights.set(`${row.layer ?? ''} ${row.local}`, await files.tensor(row));
  const get = (layer: number | '', local: string): Float32Array => weights.get(`${layer} ${local}`)!;
  const activate = rounded ? tableGelu : gelu;
  const C = shape.width;

  const norm = (x: Vector, layer: number | '', name: string): Vector => {
    const [w, b] = [get(layer, `${name}.weight`), get(layer, `${name}.bias`)];
    const mean = x.reduce((sum, v) => sum + v, 0) / C;
    const variance = x.reduce((sum, v) => sum + (v - mean) ** 2, 0) / C;
    return x.map((v, i) => ((v - mean) / Math.sqrt(variance + shape.normEps)) * w[i] + b[i]);
  };
  // Conv1D: [in, out].
  const linear = (x: Vector, layer: number, name: string): Vector => {
    const [w, b] = [get(layer, `${name}.weight`), get(layer, `${name}.bias`)];
    const y = Float64Array.from(b);
    x.forEach((v, i) => y.forEach((_, o) => (y[o] += v * w[i * y.length + o])));
    return y;
  };
  const add = (x: Vector, y: Vector): Vector => x.map((v, i) => v + y[i]);

  const [wte, wpe] = [get('', 'wte.weight'), get('', 'wpe.weight')];
  let stream = ids.map((id, t) => Float64Array.from({ length: C }, (_, i) => wte[id * C + i] + wpe[t * C + i]));
  for (let layer = 0; layer < shape.layers; layer++) {
    const qkv = stream.map((x) => linear(norm(x, layer, 'ln_1'), layer, 'attn.c_attn'));
    stream = stream.map((x, t) => {
      const mixed = new Float64Array(C);
      for (let head = 0; head < shape.heads; head++) {
        const at = head * shape.headDim;
        const part = (of: Vector, which: number): Vector => of.subarray(which * C + at, which * C + at + shape.headDim);
        const scores = qkv.slice(0, t + 1).map((past) => {
          const k = part(past, 1);
          return part(qkv[t], 0).reduce((sum, q, i) => sum + q * k[i], 0) / Math.sqrt(shape.headDim);
        });
        logSoftmax(scores).forEach((p, past) => part(qkv[past], 2).forEach((v, i) => (mixed[at + i] += Math.exp(p) * v)));
      }
      return add(x, linear(mixed, layer, 'attn.c_proj'));
    });
    stream = stream.map((x) => add(x, linear(linear(norm(x, layer, 'ln_2'), layer, 'mlp.c_fc').map(activate), layer, 'mlp.c_proj')));
  }
  return stream.map((x) => {
    const last = norm(x, '', 'ln_f');
    const logits = Float64Array.from({ length: shape.vocab }, (_, v) => last.reduce((sum, y, i) => sum + y * wte[v * C + i], 0));
    return logSoftmax(logits);
  });
}
