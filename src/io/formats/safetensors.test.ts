import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../base/errors';
import { decodeTensor, encodeTensor, headerSize, MAX_HEADER, parseHeader, readableDtype, writeSafetensors } from './safetensors';
import { collect, rawFile, seededValues, utf8, weightFile } from '../../testing/tiny-model';

const parse = (file: Uint8Array): ReturnType<typeof parseHeader> => parseHeader(file, file.byteLength, 'w.safetensors');

function refusal(action: () => unknown): AppError {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof AppError) return thrown;
    throw thrown;
  }
  throw new Error('accepted');
}

const lengthOnly = (length: bigint): Uint8Array => {
  const bytes = new Uint8Array(16);
  new DataView(bytes.buffer).setBigUint64(0, length, true);
  return bytes;
};

describe('writing', () => {
  const tensors = [
    { name: 'b', dtype: 'f16', shape: [3], data: () => Float32Array.of(1, -2, 0.5) },
    { name: 'a', dtype: 'f32', shape: [2, 1], data: () => Float32Array.of(1, -2) },
    { name: 'ü"\n', dtype: 'bf16', shape: [], data: () => Float32Array.of(3) },
  ] as const;

  it('gives the bytes of the format: golden file', async () => {
    const file = await collect(writeSafetensors(tensors, { format: 'pt' }).chunks());
    const json =
      '{"__metadata__":{"format":"pt"},"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},' +
      '"b":{"dtype":"F16","shape":[3],"data_offsets":[8,14]},"ü\\"\\n":{"dtype":"BF16","shape":[],"data_offsets":[14,16]}}';
    const padded = json + ' '.repeat((8 - (utf8(json).byteLength % 8)) % 8);
    const data = Uint8Array.of(0, 0, 0x80, 0x3f, 0, 0, 0, 0xc0, 0, 0x3c, 0, 0xc0, 0, 0x38, 0x40, 0x40);
    expect(file).toEqual(rawFile(padded, data));
    expect(file.byteLength % 8).toBe(0);
  });

  it('is read back: names, types, shapes, values, metadata', async () => {
    const written = writeSafetensors(tensors, { format: 'pt', z: '1' });
    const file = await collect(written.chunks());
    expect(file.byteLength).toBe(written.size);
    const header = parse(file);
    expect([...header.metadata]).toEqual([
      ['format', 'pt'],
      ['z', '1'],
    ]);
    expect([...header.tensors.keys()].sort()).toEqual(['a', 'b', 'ü"\n'].sort());
    for (const { name, dtype, shape, data } of tensors) {
      const entry = header.tensors.get(name)!;
      expect(entry.shape).toEqual(shape);
      expect(readableDtype(entry, 'w')).toBe(dtype);
      expect(decodeTensor(file.slice(entry.begin, entry.end), dtype)).toEqual(data());
    }
  });

  it('does not depend on the order of the input, and asks for one tensor at a time', async () => {
    const asked: string[] = [];
    const spied = [...tensors].reverse().map((t) => ({ ...t, data: () => (asked.push(t.name), t.data()) }));
    const chunks = writeSafetensors(spied).chunks();
    await chunks.next();
    expect(asked).toEqual([]);
    await chunks.next();
    expect(asked).toEqual(['a']);
    expect(await weightFile([...tensors].reverse())).toEqual(await weightFile(tensors));
  });

  it('refuses a tensor of another length, and a name that occurs twice', async () => {
    const short = writeSafetensors([{ name: 'a', dtype: 'f32', shape: [3], data: () => new Float32Array(2) }]);
    await expect(collect(short.chunks())).rejects.toMatchObject({ code: 'INTERNAL' });
    expect(refusal(() => writeSafetensors([tensors[0], tensors[0]])).detail).toContain('"b"');
  });
});

describe('decoding', () => {
  it('widens from any byte offset, and encodes back', () => {
    const values = seededValues(9, 3);
    for (const dtype of ['f32', 'f16', 'bf16'] as const) {
      const bytes = encodeTensor(values, dtype);
      for (let offset = 0; offset < 4; offset++) {
        const shifted = new Uint8Array(bytes.byteLength + offset);
        shifted.set(bytes, offset);
        expect(decodeTensor(shifted.subarray(offset), dtype)).toEqual(values);
      }
    }
  });

  it('refuses a dtype it cannot read when the tensor is to be used, not before', () => {
    const header = parse(
      rawFile(
        { ids: { dtype: 'I64', shape: [1], data_offsets: [0, 8] }, odd: { dtype: 'Q9', shape: [5], data_offsets: [8, 9] } },
        new Uint8Array(9),
      ),
    );
    expect(header.tensors.get('odd')!.dtype).toBe('Q9');
    const error = refusal(() => readableDtype(header.tensors.get('ids')!, 'w.safetensors'));
    expect(error).toMatchObject({ code: 'TENSOR_DTYPE', detail: 'w.safetensors: tensor "ids" is stored as "I64".' });
  });
});

describe('broken files', () => {
  const f32 = (begin: number, end: number, shape = [(end - begin) / 4]): object => ({ dtype: 'F32', shape, data_offsets: [begin, end] });
  const data = new Uint8Array(16);

  it.each<[string, Uint8Array, RegExp]>([
    ['empty', new Uint8Array(0), /0 bytes, too few/],
    ['seven bytes', new Uint8Array(7), /7 bytes, too few/],
    ['header longer than the file', lengthOnly(9n), /header claims 9 bytes, but the file has 16/],
    ['header over the bound', lengthOnly(BigInt(MAX_HEADER) + 1n), /at most 100000000 are allowed/],
    ['huge header', lengthOnly(0xffff_ffff_ffff_ffffn), /at most 100000000 are allowed/],
    ['Git LFS pointer', utf8('version https://git-lfs.github.com/spec/v1\noid sha256:0\n'), /Git LFS pointer/],
    ['empty header', lengthOnly(0n), /not valid JSON/],
    ['no JSON', rawFile('{"a":'), /not valid JSON/],
    ['JSON after a byte order mark', rawFile('\ufeff{}'), /not valid JSON/],
    ['no UTF-8', rawFile('{"\u0000":1}').map((b) => (b === 0x30 ? 0xff : b)), /not valid JSON/],
    ['a list', rawFile([]), /not a JSON object/],
    ['null', rawFile('null'), /not a JSON object/],
    [
      'duplicate tensor',
      rawFile(
        '{"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"t":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}',
        new Uint8Array(4),
      ),
      /tensor "t" is listed twice/,
    ],
    [
      'duplicate field',
      rawFile('{"t":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', new Uint8Array(4)),
      /tensor "t": "dtype" is given twice/,
    ],
    ['metadata of numbers', rawFile({ __metadata__: { a: 1 } }), /__metadata__/],
    ['metadata list', rawFile({ __metadata__: ['a'] }), /__metadata__/],
    ['entry is a number', rawFile({ t: 4 }), /tensor "t": its header entry is not an object/],
    ['no dtype', rawFile({ t: { shape: [1], data_offsets: [0, 4] } }, new Uint8Array(4)), /tensor "t": dtype is undefined/],
    [
      'inherited dtype',
      rawFile('{"t":{"__proto__":{"dtype":"F32"},"shape":[1],"data_offsets":[0,4]}}', new Uint8Array(4)),
      /tensor "t": dtype is undefined/,
    ],
    ['negative shape', rawFile({ t: f32(0, 16, [-2, -2]) }, data), /tensor "t": shape is \[-2,-2\]/],
    ['fractional shape', rawFile({ t: f32(0, 16, [0.5, 8]) }, data), /tensor "t": shape is/],
    ['huge shape', rawFile({ t: f32(0, 16, [2 ** 52, 2 ** 52, 2 ** 52]) }, data), /tensor "t": shape .* needs/],
    ['one offset', rawFile({ t: { dtype: 'F32', shape: [4], data_offsets: [0] } }, data), /tensor "t": data_offsets is \[0\]/],
    ['negative offset', rawFile({ t: f32(-4, 12, [4]) }, data), /tensor "t": data_offsets is/],
    ['backward offsets', rawFile({ t: f32(16, 0, [4]) }, data), /tensor "t": data_offsets \[16,0\] end before/],
    ['beyond the file', rawFile({ t: f32(0, 20) }, data), /tensor "t": its data ends at byte 20 of the data, but the file holds 16/],
    [
      'shape against range',
      rawFile({ t: f32(0, 16, [5]) }, data),
      /tensor "t": shape \[5\] of F32 needs 20 bytes, but its data_offsets span 16/,
    ],
    [
      'dtype against range',
      rawFile({ t: { dtype: 'BF16', shape: [4], data_offsets: [0, 16] } }, data),
      /tensor "t": shape \[4\] of BF16 needs 8 bytes/,
    ],
    ['overlap', rawFile({ a: f32(0, 12), b: f32(8, 16) }, data), /tensors "a" and "b" overlap/],
    ['same range twice', rawFile({ a: f32(0, 16), b: f32(0, 16) }, data), /tensors "a" and "b" overlap/],
    ['hole', rawFile({ a: f32(0, 4), b: f32(8, 16) }, data), /4 bytes before tensor "b" belong to no tensor/],
    ['hole at the start', rawFile({ b: f32(4, 16) }, data), /4 bytes before tensor "b"/],
    ['bytes at the end', rawFile({ a: f32(0, 12) }, data), /4 bytes at the end of the file belong to no tensor \(the last is "a"\)/],
  ])('%s', (_, file, message) => {
    const error = refusal(() => parse(file));
    expect(error.code).toBe('MODEL_FILE');
    expect(error.detail).toMatch(/^w\.safetensors: /);
    expect(error.detail).toMatch(message);
    expect(error.remedy).not.toBe('');
  });

  it('accepts what the format allows: no tensors, empty tensors, scalars, any name', () => {
    expect(parse(rawFile('{}')).tensors.size).toBe(0);
    const header = parse(allowedFile());
    expect([...header.tensors.keys()].sort()).toEqual(['__proto__', 'constructor', 'empty', 'scalar']);
  });

  function allowedFile(): Uint8Array {
    const scalar = JSON.stringify({ ...f32(0, 4), shape: [] });
    const pair = (begin: number): string => JSON.stringify(f32(begin, begin + 4));
    return rawFile(
      `{"scalar":${scalar},"__proto__":${pair(4)},"constructor":${pair(8)},"empty":${JSON.stringify(f32(4, 4, [0, 3]))}}   `,
      new Uint8Array(12),
    );
  }
});

it('survives 2,000 mutated headers: an AppError or a header whose ranges lie in the file', async () => {
  const good = await weightFile([
    { name: 'model.a', dtype: 'f32', shape: [2, 3], data: () => seededValues(6, 1) },
    { name: 'model.b', dtype: 'f16', shape: [4], data: () => seededValues(4, 2) },
    { name: 'model.c', dtype: 'bf16', shape: [1, 2], data: () => seededValues(2, 3) },
  ]);
  const end = headerSize(good, good.byteLength, 'w');
  // Bytes that mean something in JSON are tried more often than others.
  const byte = fc.oneof(fc.constantFrom(...utf8('{}[]",:-0159e.\\ ')), fc.integer({ min: 0, max: 255 }));
  const edit = fc.record({ at: fc.integer({ min: 0, max: end - 1 }), kind: fc.constantFrom('set', 'insert', 'remove'), byte });
  const seed = Math.floor(Math.random() * 2 ** 31);
  console.log(`safetensors header fuzz: seed ${seed}`);
  let accepted = 0;
  let refused = 0;
  fc.assert(
    fc.property(fc.array(edit, { minLength: 1, maxLength: 6 }), fc.boolean(), fc.nat(40), (edits, fixLength, cut) => {
      const bytes = [...good];
      for (const { at, kind, byte: value } of edits) bytes.splice(at, kind === 'insert' ? 0 : 1, ...(kind === 'remove' ? [] : [value]));
      const file = Uint8Array.from(cut > 35 ? bytes.slice(0, -cut) : bytes);
      // With the length put right again, mutations reach the checks behind it.
      if (fixLength && file.byteLength > 8)
        new DataView(file.buffer).setBigUint64(0, BigInt(Math.max(0, end - 8 + bytes.length - good.byteLength)), true);
      try {
        for (const { begin, end: stop } of parse(file).tensors.values()) {
          if (begin < 8 || stop > file.byteLength || begin > stop) throw new Error('range outside the file');
        }
        accepted++;
      } catch (thrown) {
        if (!(thrown instanceof AppError)) throw thrown;
        expect(thrown.code).toBe('MODEL_FILE');
        refused++;
      }
    }),
    { numRuns: 2000, seed },
  );
  console.log(`  ${accepted} accepted, ${refused} refused`);
  expect(accepted).toBeGreaterThan(0);
  expect(refused).toBeGreaterThan(1000);
});

it('survives 1,000 well-formed headers with wrong contents', () => {
  const size = fc.oneof(fc.nat(6), fc.constantFrom(-1, 0.5, 2 ** 53, 1e308));
  const entry = fc.record(
    {
      dtype: fc.constantFrom('F32', 'F16', 'BF16', 'U8', 'Q9', 7),
      shape: fc.array(size, { maxLength: 3 }),
      data_offsets: fc.array(fc.nat(24), { minLength: 1, maxLength: 3 }),
    },
    { requiredKeys: [] },
  );
  const header = fc.dictionary(
    fc.constantFrom('a', 'b', '__metadata__', '__proto__'),
    fc.oneof({ weight: 9, arbitrary: entry }, fc.jsonValue()),
  );
  fc.assert(
    fc.property(header, fc.nat(24), (json, bytes) => {
      const file = rawFile(json, new Uint8Array(bytes));
      try {
        const ranges = [...parse(file).tensors.values()].map(({ begin, end }) => end - begin);
        // What is accepted covers the data exactly.
        expect(ranges.reduce((a, b) => a + b, 0)).toBe(bytes);
      } catch (thrown) {
        if (!(thrown instanceof AppError)) throw thrown;
      }
    }),
    { numRuns: 1000 },
  );
});
