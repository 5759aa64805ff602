import { crc32 as oracle } from 'node:zlib';
import { beforeAll, describe, expect, it } from 'vitest';
import { zipParts } from './zip';

const text = (value: string) => new TextEncoder().encode(value);

describe('zipParts', () => {
  const entries = [
    { name: 'config.json', data: text('{"a":1}') },
    { name: 'größe.txt', data: text('x'.repeat(300)) },
  ];
  let bytes: Buffer;
  beforeAll(async () => {
    const listed = entries.map(({ name, data }) => ({ name, data, crc32: oracle(data) }));
    bytes = Buffer.from(await new Blob(zipParts(listed)).arrayBuffer());
  });

  it('is the same for Blobs', async () => {
    const blobs = entries.map(({ name, data }) => ({ name, data: new Blob([data.subarray(0, 3), data.subarray(3)]), crc32: oracle(data) }));
    expect(Buffer.from(await new Blob(zipParts(blobs)).arrayBuffer())).toEqual(bytes);
  });

  it('ends with a directory that points at every entry', () => {
    const end = bytes.length - 22;
    expect(bytes.readUInt32LE(end)).toBe(0x06054b50);
    expect(bytes.readUInt16LE(end + 10)).toBe(2);
    const size = bytes.readUInt32LE(end + 12);
    let at = bytes.readUInt32LE(end + 16);
    expect(at + size).toBe(end);
    for (const { name, data } of entries) {
      expect(bytes.readUInt32LE(at)).toBe(0x02014b50);
      const nameLength = bytes.readUInt16LE(at + 28);
      expect(bytes.subarray(at + 46, at + 46 + nameLength).toString('utf8')).toBe(name);
      const local = bytes.readUInt32LE(at + 42);
      expect(bytes.readUInt32LE(local)).toBe(0x04034b50);
      expect(bytes.readUInt32LE(local + 14)).toBe(oracle(data));
      const start = local + 30 + bytes.readUInt16LE(local + 26);
      expect(bytes.subarray(start, start + bytes.readUInt32LE(local + 18))).toEqual(Buffer.from(data));
      at += 46 + nameLength;
    }
  });
});
