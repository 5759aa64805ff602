import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { AppError, type ErrorCode } from '../../base/errors';
import { parameterCount } from '../../model/parameters';
import { openModel } from './model-files';
import { nodeSource } from '../node/source';
import type { TensorToWrite } from '../formats/safetensors';
import {
  memorySource,
  modelFolder,
  rawFile,
  seededValues,
  tensorsOf,
  TINY_GPT2,
  TINY_LLAMA,
  utf8,
  weightFile,
  type Files,
} from '../../testing/tiny-model';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));

async function refusal(files: Files): Promise<AppError> {
  try {
    const model = await openModel(memorySource(files));
    for await (const tensor of model.pieces()) void tensor;
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown;
    throw thrown;
  }
  throw new Error('accepted');
}

/** A folder with a changed config or changed tensors. */
async function folder(
  config: object,
  change: (tensors: Map<string, TensorToWrite>) => void = () => undefined,
  saved: object = config,
): Promise<Files> {
  const tensors = tensorsOf(saved);
  change(tensors);
  return modelFolder(config, tensors.values());
}

const rename = (tensors: Map<string, TensorToWrite>, to: (name: string) => string): TensorToWrite[] =>
  [...tensors.values()].map((t) => ({ ...t, name: to(t.name) }));
const zeros = (name: string, shape: number[]): [string, TensorToWrite] => [
  name,
  { name, dtype: 'f32', shape, data: () => new Float32Array(shape.reduce((a, b) => a * b, 1)) },
];

describe('real models', () => {
  it('opens the built-in model: 74 tensors, 1,738,880 parameters, all finite', async () => {
    const model = await openModel(await nodeSource(`${ROOT}public/models/wordsmith-2m`));
    expect(model.name).toBe('wordsmith-2m');
    expect(model.table.length).toBe(74);
    expect(parameterCount(model.table)).toBe(1_738_880);
    expect(model.dtypes).toEqual({ f32: 0, f16: 1_738_880, bf16: 0 });
    expect(model.passthrough).toEqual([
      'LICENSES.md',
      'generation_config.json',
      'special_tokens_map.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ]);
    let values = 0;
    for await (const { row, data } of model.pieces()) {
      expect(data.length).toBe(row.shape.reduce((a, b) => a * b, 1));
      values += data.length;
    }
    expect(values).toBe(1_738_880);
    expect(JSON.parse((await model.text('tokenizer.json'))!)).toHaveProperty('model');
    expect(await model.text('merges.txt')).toBeNull();
  });

  const real = `${process.env.LISA_REAL_DIR ?? `${ROOT}../shared/real`}/stories260k`;
  const there = existsSync(real);
  if (!there) console.log(`skipped: no model at ${real} (set LISA_REAL_DIR)`);
  it.skipIf(!there)('opens stories260k: 260,032 parameters in F32', async () => {
    const model = await openModel(await nodeSource(real));
    expect(model.shape).toMatchObject({ family: 'llama', layers: 5, width: 64, kvHeads: 4, ff: 172, vocab: 512, tied: true });
    expect(parameterCount(model.table)).toBe(260_032);
    expect(model.dtypes.f32).toBe(260_032);
    for await (const { data } of model.pieces()) expect(data.some((v) => v !== 0)).toBe(true);
  });
});

describe('reading', () => {
  it.each([TINY_LLAMA, TINY_GPT2])('gives every tensor in table order with its values: $model_type', async (config) => {
    const model = await openModel(memorySource(await modelFolder(config)));
    const names: string[] = [];
    for await (const { row, data } of model.pieces()) {
      expect(data).toEqual(seededValues(data.length, names.length));
      names.push(row.name);
    }
    expect(names).toEqual([...tensorsOf(config).keys()]);
    expect(model.configText).toBe(JSON.stringify(config, null, 2));
  });

  it('opens with the header alone and reads one tensor per step', async () => {
    const files = await modelFolder(TINY_LLAMA);
    const source = memorySource(files);
    const model = await openModel(source);
    const opening = source.reads.filter((read) => read.startsWith('model.safetensors')).length;
    expect(opening).toBe(2);
    source.reads.length = 0;
    const tensors = model.pieces();
    await tensors.next();
    expect(source.reads).toEqual([`model.safetensors ${11 * 8 * 4}`]);
  });

  it.each(['f16', 'bf16'] as const)('widens %s', async (dtype) => {
    const files = await folder(TINY_LLAMA, (tensors) => {
      for (const [name, tensor] of tensors) tensors.set(name, { ...tensor, dtype });
    });
    const model = await openModel(memorySource(files));
    expect(model.dtypes[dtype]).toBe(parameterCount(model.table));
    expect(await model.tensor(model.table[3])).toEqual(seededValues(8 * 4, 3));
  });

  it('takes GPT-2 without prefix and with its mask buffers, and keeps the names', async () => {
    const tensors = rename(tensorsOf(TINY_GPT2), (name) => name.replace('transformer.', ''));
    for (const layer of [0, 1]) tensors.push(zeros(`h.${layer}.attn.bias`, [1, 1, 16, 16])[1], zeros(`h.${layer}.attn.masked_bias`, [])[1]);
    const model = await openModel(memorySource(await modelFolder(TINY_GPT2, tensors)));
    const row = model.table.find(({ name }) => name === 'transformer.h.1.attn.c_attn.bias')!;
    expect(model.fileName(row)).toBe('h.1.attn.c_attn.bias');
    const prefixed = await openModel(memorySource(await modelFolder(TINY_GPT2)));
    expect(prefixed.fileName(row)).toBe('transformer.h.1.attn.c_attn.bias');
  });

  it('ignores integer buffers, rotary frequencies and the head of a tied model', async () => {
    const data = new Uint8Array(8);
    const mask = rawFile({ 'transformer.h.0.attn.bias': { dtype: 'U8', shape: [8], data_offsets: [0, 8] } }, data);
    const split = await sharded(TINY_GPT2);
    split.files.set('model-mask.safetensors', mask);
    split.index.weight_map['transformer.h.0.attn.bias'] = 'model-mask.safetensors';
    expect((await openModel(memorySource(split.build()))).table.length).toBe(28);

    const llama = await folder(TINY_LLAMA, (tensors) => {
      tensors.set(...zeros('model.layers.0.self_attn.rotary_emb.inv_freq', [2]));
      tensors.set(...zeros('lm_head.weight', [11, 8]));
    });
    expect((await openModel(memorySource(llama))).table.some(({ role }) => role === 'head')).toBe(false);
  });

  it("takes a tied model's stored head that is the embedding, and refuses another", async () => {
    const embedding = tensorsOf(TINY_LLAMA).get('model.embed_tokens.weight')!;
    const withHead = async (head: TensorToWrite): Promise<unknown> => {
      const model = await openModel(memorySource(await folder(TINY_LLAMA, (tensors) => tensors.set(head.name, head))));
      return model.tensor(model.table[0]);
    };
    const head = { ...embedding, name: 'lm_head.weight' };
    await expect(withHead(head)).resolves.toHaveLength(88);
    const refused = { code: 'MODEL_UNSUPPORTED', detail: expect.stringContaining('lm_head.weight') as string };
    await expect(withHead({ ...head, data: () => seededValues(88, 7) })).rejects.toMatchObject(refused);
    await expect(withHead({ ...head, dtype: 'f16' })).rejects.toMatchObject(refused);
    await expect(withHead({ ...head, shape: [4, 2], data: () => seededValues(8, 0) })).rejects.toMatchObject(refused);
  });

  /** An embedding of 2.3 million values. */
  const WIDE = { ...TINY_LLAMA, vocab_size: 290_001, num_hidden_layers: 1 };
  const wide = (value: (at: number) => number, extra: (tensors: Map<string, TensorToWrite>) => void = () => undefined): Promise<Files> =>
    folder(WIDE, (tensors) => {
      const embedding = tensors.get('model.embed_tokens.weight')!;
      tensors.set(embedding.name, {
        ...embedding,
        dtype: 'f16',
        data: (start, end) => Float32Array.from({ length: end - start }, (_, i) => value(start + i)),
      });
      extra(tensors);
    });

  it('gives a large tensor in pieces, and any part of it', async () => {
    const source = memorySource(await wide((at) => at % 2039));
    const model = await openModel(source);
    source.reads.length = 0;
    const starts: number[] = [];
    let next = 0;
    for await (const { row, start, data } of model.pieces()) {
      if (row.role !== 'embedding') break;
      starts.push(start);
      expect(start).toBe(next);
      expect(data.every((v, i) => v === (start + i) % 2039)).toBe(true);
      next += data.length;
    }
    expect(next).toBe(290_001 * 8);
    expect(starts).toEqual([0, 2 ** 20, 2 ** 21]);
    expect(source.reads.slice(0, 3).map((read) => Number(read.split(' ')[1]))).toEqual([2 ** 21, 2 ** 21, 2 * (290_001 * 8 - 2 ** 21)]);
    expect(await model.tensor(model.table[0], 2 ** 20 - 1, 2 ** 20 + 1)).toEqual(Float32Array.of((2 ** 20 - 1) % 2039, 2 ** 20 % 2039));
  });

  it('says where in a large tensor a value is not finite', async () => {
    const at = 200_000 * 8 + 5;
    const model = await openModel(memorySource(await wide((i) => (i === at ? NaN : 1))));
    const reading = async (): Promise<void> => {
      for await (const piece of model.pieces()) void piece;
    };
    await expect(reading()).rejects.toMatchObject({ code: 'NONFINITE_WEIGHTS', detail: expect.stringContaining('[200000, 5]') as string });
  });

  it("holds a tied model's large stored head against the embedding to the last piece", async () => {
    const reading = async (last: number): Promise<number> => {
      const head = (tensors: Map<string, TensorToWrite>): void => {
        const { data, ...rest } = tensors.get('model.embed_tokens.weight')!;
        tensors.set('lm_head.weight', {
          ...rest,
          name: 'lm_head.weight',
          data: async (start, end) => {
            const values = await data(start, end);
            if (end === 290_001 * 8) values[end - start - 1] = last;
            return values;
          },
        });
      };
      let values = 0;
      for await (const { data } of (await openModel(memorySource(await wide(() => 1, head)))).pieces()) values += data.length;
      return values;
    };
    await expect(reading(1)).resolves.toBeGreaterThan(290_001 * 8);
    await expect(reading(2)).rejects.toMatchObject({
      code: 'MODEL_UNSUPPORTED',
      detail: expect.stringContaining('lm_head.weight') as string,
    });
  });

  it('reads an untied head from the file', async () => {
    const model = await openModel(memorySource(await modelFolder({ ...TINY_LLAMA, tie_word_embeddings: false })));
    expect(model.table.at(-1)!.name).toBe('lm_head.weight');
  });
});

interface Sharded {
  readonly files: Files;
  readonly index: { weight_map: Record<string, unknown> };
  build(): Files;
}

async function sharded(config: object): Promise<Sharded> {
  const tensors = [...tensorsOf(config).values()];
  const files: Files = new Map([['config.json', utf8(JSON.stringify(config))]]);
  const index: Sharded['index'] = { weight_map: {} };
  for (const part of [0, 1]) {
    const name = `model-0000${part + 1}-of-00002.safetensors`;
    const mine = tensors.filter((_, i) => i % 2 === part);
    files.set(name, await weightFile(mine));
    for (const tensor of mine) index.weight_map[tensor.name] = name;
  }
  return { files, index, build: () => files.set('model.safetensors.index.json', utf8(JSON.stringify(index))) };
}

describe('shards', () => {
  it('are read through the index', async () => {
    const model = await openModel(memorySource((await sharded(TINY_LLAMA)).build()));
    let i = 0;
    for await (const { data } of model.pieces()) expect(data).toEqual(seededValues(data.length, i++));
    expect(i).toBe(20);
  });

  const NORM = 'model.norm.weight';
  it.each<[string, ErrorCode, RegExp, (s: Sharded) => void]>([
    [
      'a missing shard',
      'MODEL_FILE',
      /names "model-00002-of-00002.safetensors", which is not in tiny/,
      (s) => void s.files.delete('model-00002-of-00002.safetensors'),
    ],
    [
      'a tensor that is not in its shard',
      'TENSOR_MISSING',
      /tensor "ghost" in model-00001-of-00002.safetensors/,
      (s) => void (s.index.weight_map.ghost = 'model-00001-of-00002.safetensors'),
    ],
    [
      'a tensor that the index does not list',
      'MODEL_FILE',
      /"model.norm.weight" is here, but .* does not list it/,
      (s) => void delete s.index.weight_map[NORM],
    ],
    [
      'a path out of the folder',
      'MODEL_FILE',
      /"model.norm.weight" in "\.\.\/x.safetensors", which is not the plain name/,
      (s) => void (s.index.weight_map[NORM] = '../x.safetensors'),
    ],
    ['an absolute path', 'MODEL_FILE', /in "\/etc\/x.safetensors"/, (s) => void (s.index.weight_map[NORM] = '/etc/x.safetensors')],
    ['a Windows path', 'MODEL_FILE', /plain name/, (s) => void (s.index.weight_map[NORM] = 'a\\x.safetensors')],
    ['another kind of file', 'MODEL_FILE', /"config.json"/, (s) => void (s.index.weight_map[NORM] = 'config.json')],
    ['a number as file', 'MODEL_FILE', /"model.norm.weight" in 3/, (s) => void (s.index.weight_map[NORM] = 3)],
    ['an empty index', 'MODEL_FILE', /no weight_map/, (s) => void (s.index.weight_map = {})],
  ])('%s', async (_, code, detail, change) => {
    const split = await sharded(TINY_LLAMA);
    change(split);
    const error = await refusal(split.build());
    expect(error.code).toBe(code);
    expect(error.detail).toMatch(detail);
  });

  it('refuses an index that is no JSON', async () => {
    const files = (await sharded(TINY_LLAMA)).build().set('model.safetensors.index.json', utf8('{'));
    expect(await refusal(files)).toMatchObject({ code: 'MODEL_FILE' });
  });
});

describe('what does not fit is refused, by name', () => {
  const without =
    (...names: string[]) =>
    (tensors: Map<string, TensorToWrite>): void =>
      names.forEach((name) => tensors.delete(name));
  const plus =
    (name: string, shape: number[]) =>
    (tensors: Map<string, TensorToWrite>): void =>
      void tensors.set(...zeros(name, shape));
  const reshaped = (name: string, shape: number[]) => plus(name, shape);

  it.each<[string, ErrorCode, RegExp, () => Promise<Files>]>([
    [
      'missing tensor',
      'TENSOR_MISSING',
      /"model\.layers\.1\.mlp\.up_proj\.weight" is not in.*complete checkpoint/,
      () => folder(TINY_LLAMA, without('model.layers.1.mlp.up_proj.weight')),
    ],
    [
      'untied without head',
      'TENSOR_MISSING',
      /"lm_head\.weight".*tie_word_embeddings/,
      () => folder({ ...TINY_LLAMA, tie_word_embeddings: false }, undefined, TINY_LLAMA),
    ],
    [
      'more layers in config',
      'TENSOR_MISSING',
      /layers\.2\..*layers 0 to 1, but config.json says num_hidden_layers = 3/,
      () => folder({ ...TINY_LLAMA, num_hidden_layers: 3 }, undefined, TINY_LLAMA),
    ],
    [
      'biases only in config',
      'TENSOR_MISSING',
      /q_proj\.bias".*attention_bias = true/,
      () => folder({ ...TINY_LLAMA, attention_bias: true }, undefined, TINY_LLAMA),
    ],
    [
      'fewer layers in config',
      'MODEL_CONFIG',
      /layer 1, but config.json says num_hidden_layers = 1/,
      () => folder({ ...TINY_LLAMA, num_hidden_layers: 1 }, undefined, TINY_LLAMA),
    ],
    ['fewer layers in a GPT-2 config', 'MODEL_CONFIG', /n_layer = 1/, () => folder({ ...TINY_GPT2, n_layer: 1 }, undefined, TINY_GPT2)],
    [
      'unannounced attention bias',
      'MODEL_UNSUPPORTED',
      /"model\.layers\.0\.self_attn\.q_proj\.bias".*attention_bias = false/,
      () => folder(TINY_LLAMA, plus('model.layers.0.self_attn.q_proj.bias', [8])),
    ],
    [
      'unannounced mlp bias',
      'MODEL_UNSUPPORTED',
      /mlp_bias = false/,
      () => folder(TINY_LLAMA, undefined, { ...TINY_LLAMA, mlp_bias: true }),
    ],
    ['a classifier head', 'MODEL_UNSUPPORTED', /"score\.weight" is not part of/, () => folder(TINY_LLAMA, plus('score.weight', [2, 8]))],
    [
      'query norms',
      'MODEL_UNSUPPORTED',
      /"model\.layers\.0\.self_attn\.q_norm\.weight"/,
      () => folder(TINY_LLAMA, plus('model.layers.0.self_attn.q_norm.weight', [4])),
    ],
    ['an adapter', 'MODEL_UNSUPPORTED', /lora_A/, () => folder(TINY_LLAMA, plus('model.layers.0.self_attn.q_proj.lora_A.weight', [1, 8]))],
    ['the same tensor in both styles', 'MODEL_UNSUPPORTED', /"h\.0\.ln_1\.weight"/, () => folder(TINY_GPT2, plus('h.0.ln_1.weight', [8]))],
    [
      'wrong vocabulary',
      'TENSOR_SHAPE',
      /"model\.embed_tokens\.weight" has shape \[11,8\], but .* \[12,8\].*vocab_size/,
      () => folder({ ...TINY_LLAMA, vocab_size: 12 }, undefined, TINY_LLAMA),
    ],
    ['wrong width', 'TENSOR_SHAPE', /hidden_size/, () => folder({ ...TINY_LLAMA, hidden_size: 16 }, undefined, TINY_LLAMA)],
    [
      'wrong feed-forward',
      'TENSOR_SHAPE',
      /gate_proj.*Probably intermediate_size/,
      () => folder({ ...TINY_LLAMA, intermediate_size: 13 }, undefined, TINY_LLAMA),
    ],
    [
      'wrong kv heads',
      'TENSOR_SHAPE',
      /k_proj.*Probably num_key_value_heads/,
      () => folder({ ...TINY_LLAMA, num_key_value_heads: 2 }, undefined, TINY_LLAMA),
    ],
    [
      'wrong head size',
      'TENSOR_SHAPE',
      /q_proj.*Probably num_attention_heads or head_dim/,
      () => folder({ ...TINY_LLAMA, head_dim: 2 }, undefined, TINY_LLAMA),
    ],
    ['wrong positions', 'TENSOR_SHAPE', /wpe.*Probably n_positions/, () => folder({ ...TINY_GPT2, n_positions: 17 }, undefined, TINY_GPT2)],
    ['wrong inner size', 'TENSOR_SHAPE', /c_fc.*Probably n_inner/, () => folder({ ...TINY_GPT2, n_inner: 31 }, undefined, TINY_GPT2)],
    [
      'transposed',
      'TENSOR_SHAPE',
      /c_fc\.weight" has shape \[32,8\].*transposed/,
      () => folder(TINY_GPT2, reshaped('transformer.h.0.mlp.c_fc.weight', [32, 8])),
    ],
    ['another rank', 'TENSOR_SHAPE', /norm\.weight" has shape \[8,1\]/, () => folder(TINY_LLAMA, reshaped('model.norm.weight', [8, 1]))],
    ['no config', 'MODEL_FILE', /there is no config\.json/, () => modelWithout('config.json')],
    ['no weights', 'MODEL_FILE', /neither model\.safetensors nor/, () => modelWithout('model.safetensors')],
    [
      'weights in another format',
      'MODEL_FILE',
      /"pytorch_model\.bin" is not supported/,
      async () => (await modelWithout('model.safetensors')).set('pytorch_model.bin', utf8('x')),
    ],
    [
      'config that is no JSON',
      'MODEL_CONFIG',
      /config\.json is not valid JSON/,
      async () => (await folder(TINY_LLAMA)).set('config.json', utf8('{"a":')),
    ],
    [
      'config that is no text',
      'MODEL_FILE',
      /config\.json is not UTF-8/,
      async () => (await folder(TINY_LLAMA)).set('config.json', Uint8Array.of(0xff, 0xfe)),
    ],
    [
      'model one folder deeper',
      'MODEL_FILE',
      /Choose the folder "checkpoint-5"/,
      () => Promise.resolve(new Map([['checkpoint-5/config.json', utf8('{}')]])),
    ],
    ['cut weights', 'MODEL_FILE', /^model\.safetensors: tensor ".*" its data ends|cut short/, async () => cutWeights()],
  ])('%s', async (_, code, message, files) => {
    const error = await refusal(await files());
    expect(`${error.code}: ${error.message}`).toMatch(new RegExp(`^${code}: `));
    expect(error.message).toMatch(message);
    expect(error.remedy).not.toBe('');
  });

  async function modelWithout(name: string): Promise<Files> {
    const files = await modelFolder(TINY_LLAMA);
    files.delete(name);
    return files;
  }

  async function cutWeights(): Promise<Files> {
    const files = await modelFolder(TINY_LLAMA);
    return files.set('model.safetensors', files.get('model.safetensors')!.slice(0, -4));
  }

  it('names a needed tensor that is stored in a type it cannot read', async () => {
    const split = await sharded(TINY_LLAMA);
    split.files.set(
      'int.safetensors',
      rawFile({ 'model.norm.weight': { dtype: 'I8', shape: [8], data_offsets: [0, 8] } }, new Uint8Array(8)),
    );
    const rest = [...tensorsOf(TINY_LLAMA).values()].filter(({ name }) => name !== 'model.norm.weight');
    split.files.set('rest.safetensors', await weightFile(rest));
    split.index.weight_map = {
      ...Object.fromEntries(rest.map(({ name }) => [name, 'rest.safetensors'])),
      'model.norm.weight': 'int.safetensors',
    };
    expect(await refusal(split.build())).toMatchObject({
      code: 'TENSOR_DTYPE',
      detail: 'int.safetensors: tensor "model.norm.weight" is stored as "I8".',
    });
  });
});

describe('weights that are not finite', () => {
  it.each<[string, number, 'f32' | 'f16' | 'bf16']>([
    ['NaN', NaN, 'f32'],
    ['Infinity', Infinity, 'f16'],
    ['-Infinity', -Infinity, 'bf16'],
  ])('%s: tensor and place are named', async (text, value, dtype) => {
    const name = 'model.layers.1.mlp.up_proj.weight';
    const files = await folder(TINY_LLAMA, (tensors) => {
      tensors.set(name, { ...tensors.get(name)!, dtype, data: () => new Float32Array(96).fill(value, 2 * 8 + 5, 2 * 8 + 6) });
    });
    const error = await refusal(files);
    expect(error).toMatchObject({ code: 'NONFINITE_WEIGHTS', detail: `model.safetensors: tensor "${name}" holds ${text} at [2, 5].` });
  });

  it('the largest finite values pass', async () => {
    const files = await folder(TINY_LLAMA, (tensors) => {
      tensors.set('model.norm.weight', {
        ...tensors.get('model.norm.weight')!,
        data: () => new Float32Array(8).fill(3.4028234663852886e38),
      });
    });
    await expect(refusal(files)).rejects.toThrow('accepted');
  });
});
