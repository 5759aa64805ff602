// Bad input ends with status 2, one line on standard error that names the file, row or option and the remedy, and nothing
// in --out. Everything except non-finite weights and foreign checkpoints is found before a GPU is asked for.

import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { rawFile } from '../../testing/tiny-model';
import { loadFixture } from '../../testing/fixtures';
import { ACCEPTED, cli, quickOptions, type CliResult } from '../../testing/tiny-cli';
import { FIRST_BYTE, temporaryFolder, tinyTokenizerJson, writeTinyModel } from '../../testing/tiny-folder';
import { textRows } from '../../testing/tiny-session';

const folder = temporaryFolder('bad');
afterAll(() => folder.remove());
let next = 0;
const fresh = (): string => join(folder.path, `case-${next++}`);

const ROWS = new TextDecoder().decode(textRows(6).bytes);
const GOOD = writeTinyModel(join(folder.path, 'good'), 'tiny-llama');
const DATA = join(folder.path, 'rows.jsonl');
writeFileSync(DATA, ROWS);

/** Files in a folder, at any depth, with their sizes. */
const listing = (path: string): string[] =>
  existsSync(path)
    ? (readdirSync(path, { recursive: true }) as string[]).sort().map((name) => `${name} ${statSync(join(path, name)).size}`)
    : [];

/** Runs the command, checks what holds for every refusal, and returns the line. */
async function refusal(args: readonly string[], out: string, options?: { gpu: boolean }): Promise<string> {
  const before = listing(out);
  const { status, stdout, stderr }: CliResult = await cli(args, options);
  expect({ status, stderr }).toEqual({ status: 2, stderr: expect.stringMatching(/^finetune: [^\n]+\n$/) as string });
  expect(stdout).toBe('');
  expect(listing(out)).toEqual(before);
  return stderr.trim();
}

/** A refusal of changed options or of a changed model. */
async function refused(
  more: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string | Uint8Array | null>> = {},
  gpu = false,
): Promise<string> {
  const at = fresh();
  const model = Object.keys(files).length > 0 ? writeTinyModel(join(at, 'model'), 'tiny-llama', files) : GOOD;
  const out = join(at, 'out');
  const line = await refusal(quickOptions(model, DATA, out, more), out, { gpu });
  expect(existsSync(out)).toBe(false);
  return line;
}

/** A data file for one case. */
function dataFile(name: string, contents: string | Uint8Array): string {
  const at = fresh();
  mkdirSync(at, { recursive: true });
  writeFileSync(join(at, name), contents);
  return join(at, name);
}

test('the input that the cases start from is good', async () => {
  expect((await cli(quickOptions(GOOD, DATA, join(fresh(), 'out')))).status).toBe(ACCEPTED);
});

test('rows are as long as a small model allows, unless a length is given', async () => {
  const args = ['--model', GOOD, '--data', DATA, '--out', join(fresh(), 'out')];
  expect((await cli(args)).status).toBe(ACCEPTED);
  const refused = await cli([...args, '--seq-len', '128']);
  expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining('--seq-len: 128')]);
});

describe('files that are not there', () => {
  test('model', async () => expect(await refused({ model: 'no/such/model' })).toMatch(/no\/such\/model does not exist.*Give a directory/));
  test('data', async () => expect(await refused({ data: 'no-rows.jsonl' })).toMatch(/no-rows\.jsonl does not exist.*Give a \.jsonl/));
  test('held-out data', async () => expect(await refused({ 'eval-data': 'no-held.jsonl' })).toMatch(/no-held\.jsonl does not exist/));
  test.each([
    ['config.json', /there is no config\.json.*Choose a folder/],
    ['model.safetensors', /neither model\.safetensors nor.*Add the weights/],
    ['tokenizer.json', /has no tokenizer\.json.*save_pretrained/],
  ])('%s', async (name, line) => expect(await refused({}, { [name]: null })).toMatch(line));
});

interface Entry {
  dtype: string;
  shape: number[];
  data_offsets: [number, number];
}

/** The fixture's weights, with a changed header. */
function weights(change: (header: Record<string, Entry>) => void): Uint8Array {
  const file = readFileSync(join(GOOD, 'model.safetensors'));
  const size = Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, 8 + size)) as Record<string, Entry>;
  change(header);
  return rawFile(header, file.subarray(8 + size));
}

const NAME = 'model.layers.1.self_attn.q_proj.weight';

describe('weights', () => {
  const file = readFileSync(join(GOOD, 'model.safetensors'));
  const headerBytes = Number(file.readBigUInt64LE(0));
  const with64 = (value: bigint): Uint8Array => {
    const bytes = Uint8Array.from(file);
    new DataView(bytes.buffer).setBigUint64(0, value, true);
    return bytes;
  };

  test.each<[string, Uint8Array, RegExp]>([
    ['cut short in the data', file.subarray(0, file.byteLength - 100), /model\.safetensors.*cut short.*Download/],
    ['cut short in the header', file.subarray(0, headerBytes >> 1), /model\.safetensors: the header claims.*cut short/],
    ['of a few bytes', file.subarray(0, 5), /model\.safetensors: the file has 5 bytes/],
    ['empty', new Uint8Array(0), /model\.safetensors: the file has 0 bytes/],
    ['with a header longer than the file', with64(BigInt(file.byteLength)), /header claims \d+ bytes, but the file has/],
    ['with a header that is far too long', with64(2n ** 63n), /header claims/],
    ['with a header that is not JSON', rawFile('{"a": '), /not valid JSON/],
    ['of another format', new TextEncoder().encode('PK\u0003\u0004 not safetensors at all'), /model\.safetensors/],
    [
      'that overlap',
      weights((h) => {
        const [begin, end] = h[NAME].data_offsets;
        h[NAME].data_offsets = [begin - 4, end - 4];
      }),
      /overlap/,
    ],
    [
      'with offsets beyond the file',
      weights((h) => {
        const [begin, end] = h[NAME].data_offsets;
        h[NAME].data_offsets = [begin + 1e9, end + 1e9];
      }),
      /q_proj\.weight.*ends at byte/,
    ],
    ['with an unknown type', weights((h) => (h[NAME].dtype = 'F33')), /q_proj\.weight.*'?F33'?.*Use a checkpoint in F32/],
    ['with a tensor missing', weights((h) => delete h[NAME]), /model\.safetensors/],
    [
      'with a tensor under another name',
      weights((h) => {
        h['model.layers.1.self_attn.x_proj.weight'] = h[NAME];
        delete h[NAME];
      }),
      /layers\.1\.self_attn\.q_proj\.weight.*not in the model's files/,
    ],
    ['with a tensor of another shape', weights((h) => (h[NAME].shape = [24, 96])), /q_proj\.weight.*shape.*\[24, ?96\].*config\.json/],
  ])('%s', async (_, contents, line) => expect(await refused({}, { 'model.safetensors': contents })).toMatch(line));

  test.each([NaN, Infinity, -Infinity])('that hold %d, found while they are read', async (value) => {
    const bytes = Uint8Array.from(file);
    const header = JSON.parse(file.toString('utf8', 8, 8 + headerBytes)) as Record<string, Entry>;
    new DataView(bytes.buffer).setFloat32(8 + headerBytes + header[NAME].data_offsets[0] + 4 * 50, value, true);
    expect(await refused({}, { 'model.safetensors': bytes }, true)).toMatch(/q_proj\.weight.*holds -?(NaN|Infinity) at \[1, 2\].*damaged/);
  });
});

describe('config.json', () => {
  const changed = (change: object): Record<string, string> => ({
    'config.json': JSON.stringify({ ...loadFixture('tiny-llama').config, ...change }),
  });
  test.each<[object, RegExp]>([
    [{ architectures: ['MambaForCausalLM'], model_type: 'mamba' }, /mamba/i],
    [{ num_hidden_layers: 5 }, /layers\.4\..*num_hidden_layers = 5/],
    [{ num_hidden_layers: 3 }, /layer 3.*num_hidden_layers = 3/],
    [{ hidden_size: 64, head_dim: 16 }, /shape.*hidden_size/],
    [{ vocab_size: 300 }, /embed_tokens.*shape.*vocab_size/],
    [{ num_key_value_heads: 3 }, /k_proj.*num_key_value_heads/],
    [{ attention_bias: true }, /q_proj\.bias.*attention_bias/],
    [{ tie_word_embeddings: true, hidden_act: 'relu' }, /hidden_act|relu/],
    [{ model_type: 'qwen2' }, /q_proj\.bias.*complete checkpoint/],
    [{ model_type: 'qwen3' }, /q_norm\.weight.*complete checkpoint/],
    [{ logits_scaling: 8 }, /logits_scaling is 8.*Llama models have no such field/],
  ])('%j', async (change, line) => expect(await refused({}, changed(change))).toMatch(line));
  test('that is not JSON', async () =>
    expect(await refused({}, { 'config.json': '{"model_type": ' })).toMatch(/config\.json is not valid JSON/));
  test('a tokenizer that is not JSON', async () =>
    expect(await refused({}, { 'tokenizer.json': '{' })).toMatch(/tokenizer\.json is not valid JSON/));
});

describe('data', () => {
  const bad = `${ROWS}{"text": 3}\n{"text": "seven 7"}\n`;
  test.each<[string, string, string | Uint8Array, RegExp]>([
    ['a row that is not JSON', 'a.jsonl', '{"text": "one"}\n{"text": "two"\n', /a\.jsonl, row 2: .*Fix the row/],
    ['a row of another kind', 'b.jsonl', '{"text": "one"}\n{"question": "two"}\n', /b\.jsonl, row 2: .*question/],
    ['a field that is not text', 'c.jsonl', bad, /c\.jsonl, row 7: text is.*skip bad rows/],
    [
      'a message of an unknown role',
      'd.jsonl',
      '{"messages": [{"role": "robot", "content": "x"}]}',
      /d\.jsonl, row 1: messages\[0\]\.role/,
    ],
    ['a CSV row with a field too many', 'e.csv', 'text\none\ntwo,three\n', /e\.csv, row 3/],
    ['a CSV header without a known column', 'f.csv', 'a,b\n1,2\n', /f\.csv, row 1/],
    ['no row', 'g.jsonl', '', /g\.jsonl contains no data/],
    ['white space', 'h.txt', ' \n \n', /h\.txt contains no data/],
    ['bytes that are not text', 'i.jsonl', Uint8Array.of(123, 255, 254, 10), /i\.jsonl, row 1: the text is not valid UTF-8/],
    ['an unknown ending', 'j.arrow', 'x', /j\.arrow.*Choose a \.jsonl/],
    [
      'no token that counts toward the loss',
      'k.jsonl',
      '{"messages": [{"role": "user", "content": "hi"}]}\n',
      /No token of k\.jsonl counts toward the loss/,
    ],
  ])('%s', async (_, name, contents, line) => expect(await refused({ data: dataFile(name, contents) })).toMatch(line));

  test('tokens that the model does not have', async () => {
    const tokenizer = tinyTokenizerJson((id) => (id === FIRST_BYTE + 'z'.charCodeAt(0) ? 301 : id));
    const line = await refused({ data: dataFile('z.jsonl', '{"text": "one"}\n{"text": "a zebra"}\n') }, { 'tokenizer.json': tokenizer });
    expect(line).toMatch(/301/);
  });

  test('--bad-rows skip accepts the good rows, and not a file without any', async () => {
    const args = quickOptions(GOOD, dataFile('c.jsonl', bad), join(fresh(), 'out'), { 'bad-rows': 'skip' });
    expect((await cli(args)).status).toBe(ACCEPTED);
    expect(await refused({ data: dataFile('c.jsonl', '{"text": 3}\n'), 'bad-rows': 'skip' })).toMatch(
      /All 1 rows of c\.jsonl are malformed/,
    );
  });
});

describe('options', () => {
  test.each<[Record<string, string>, RegExp]>([
    [{ 'lisa-layers': '5' }, /--lisa-layers: γ = 5 is more than the model's 4 layers\. Enter a whole number from 1 to 4\./],
    [{ 'lisa-layers': '0' }, /--lisa-layers: 0 is too small\. Enter a whole number from 1/],
    [{ 'lisa-period': '0' }, /--lisa-period: 0 is too small/],
    [{ lr: '-0.1' }, /--lr: -0\.1 is too small/],
    [{ steps: '0' }, /--steps: 0 is too small/],
    [{ 'seq-len': '65' }, /--seq-len: 65 tokens are more than the model's 64 positions\. Enter a whole number from 2 to 64\./],
    [{ 'lisa-sampler': 'weighted' }, /--lisa-weights: The weighted sampler has no weights/],
    [{ 'lisa-weights': '1,2,3' }, /--lisa-weights: 3 weights for 4 layers/],
    [{ 'lisa-weights': '0,0,0,0' }, /--lisa-weights: All layer weights are zero/],
    [{ method: 'sgd' }, /--method: 'sgd' is not known\. Enter one of lisa, full, lora\./],
    [{ 'learning-rate': '1' }, /'--learning-rate'\. --help lists all options/],
    [{ prompt: '' }, /--prompt: A prompt is empty/],
    [{ resume: 'x', steps: '9' }, /a resumed run keeps the settings it was started with/],
  ])('%j', async (more, line) => expect(await refused(more)).toMatch(line));

  test('the whole line, once', async () => {
    expect(await refused({ 'lisa-period': '0' })).toBe(
      'finetune: --lisa-period: 0 is too small. Enter a whole number from 1 to 10,000,000.',
    );
  });

  test('--out that is a file', async () => {
    const out = dataFile('out', 'keep me');
    expect(await refusal(quickOptions(GOOD, DATA, out), out.replace(/\/out$/, ''))).toMatch(/--out: .*out is a file\. Give a directory/);
    expect(readFileSync(out, 'utf8')).toBe('keep me');
  });

  test('--out that is the model, holds the data, or is not ours, whatever --overwrite says', async () => {
    const model = writeTinyModel(join(fresh(), 'model'), 'tiny-llama');
    const mine = join(fresh(), 'mine');
    mkdirSync(join(mine, 'checkpoint'), { recursive: true });
    writeFileSync(join(mine, 'checkpoint', 'step-4.safetensors'), 'a diary');
    for (const more of [[], ['--overwrite']]) {
      expect(await refusal([...quickOptions(model, DATA, model), ...more], model)).toMatch(/--out: .* is the folder of --model/);
      expect(await refusal([...quickOptions(model, DATA, folder.path), ...more], model)).toMatch(/--out: .* holds --model/);
      expect(await refusal([...quickOptions(model, DATA, mine), ...more], mine)).toMatch(/not made by LISA Studio/);
      expect(await refusal([...quickOptions(model, DATA, mine), '--continue-elsewhere', mine, ...more], mine)).toMatch(
        /--continue-elsewhere: /,
      );
    }
  });

  test('--help needs nothing and refuses nothing', async () => {
    const { status, stdout, stderr } = await cli(['--help']);
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(stdout).toContain('--lisa-layers');
  });
});

describe('--resume', () => {
  test('a folder that is not there, or holds no checkpoint', async () => {
    const none = join(fresh(), 'none');
    expect(await refusal(['--resume', none], none)).toMatch(/--resume .*none: There is no checkpoint\. Give the --out directory/);
    expect(existsSync(none)).toBe(false);
    expect(await refusal(['--resume', GOOD], GOOD)).toMatch(/--resume .*good: There is no checkpoint/);
  });

  describe('a run that was made here', () => {
    const run = join(folder.path, 'run');
    /** A copy of the run that a test may damage. */
    const copy = (): string => {
      const at = fresh();
      cpSync(run, at, { recursive: true });
      return at;
    };

    test('ends with status 0', async () => {
      const { status, stderr } = await cli(quickOptions(GOOD, DATA, run, { prompt: 'o' }), { gpu: true });
      expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    });

    test('a damaged checkpoint', async () => {
      const at = copy();
      const path = join(at, 'checkpoint', 'step-4.safetensors');
      const bytes = readFileSync(path);
      writeFileSync(path, bytes.subarray(0, bytes.byteLength - 10));
      expect(await refusal(['--resume', at], at)).toMatch(/--resume .*: The checkpoint cannot be used.*cut short.*Start the run again/);
      bytes[bytes.byteLength - 1000] ^= 1;
      writeFileSync(path, bytes);
      expect(await refusal(['--resume', at], at, { gpu: true })).toMatch(/checkpoint cannot be used: .* is damaged/);
    });

    test('other data, another model', async () => {
      const at = copy();
      expect(await refusal(['--resume', at, '--data', dataFile('rows.jsonl', `${ROWS}{"text":"more"}\n`)], at, { gpu: true })).toMatch(
        /--resume .*another model or other data/,
      );
      const other = writeTinyModel(join(fresh(), 'gpt2'), 'tiny-gpt2');
      expect(await refusal(['--resume', at, '--model', other], at, { gpu: true })).toMatch(/--resume .*another model or other data/);
    });

    test('a model that is gone', async () => {
      const at = copy();
      expect(await refusal(['--resume', at, '--model', join(at, 'gone')], at)).toMatch(/gone does not exist/);
    });
  });
});

test('--gguf is refused before training where llama.cpp would not do the same', async () => {
  expect(await refused({ gguf: 'q4' })).toBe("finetune: --gguf: 'q4' is not known. Enter one of f32, f16, q8_0.");
  const tokenizer = tinyTokenizerJson().replaceAll('"add_prefix_space":false', '"add_prefix_space":true');
  const line = await refused({ gguf: 'f16' }, { 'tokenizer.json': tokenizer });
  expect(line).toMatch(/^finetune: --gguf: GGUF cannot carry this tokenizer: .*Omit --gguf/);
});
