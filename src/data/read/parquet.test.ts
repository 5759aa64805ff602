// Parquet is read as its rows in JSON lines; a damaged file is a typed error, or reads, and never hangs.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parquetWriteBuffer } from 'hyparquet-writer';
import { expect, test } from 'vitest';
import { AppError } from '../../base/errors';
import { randomStream } from '../../base/random';
import { SLOW } from '../../testing/slow';
import { bytesStream, textPieces } from './text-stream';

const file = (rowGroupSize: number): Uint8Array =>
  new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'prompt', data: ['a', 'é😀', 'c'], type: 'STRING' },
        { name: 'completion', data: ['b', 'd\n', ''], type: 'STRING' },
        { name: 'id', data: [1n, 2n, 2n ** 60n], type: 'INT64' },
      ],
      rowGroupSize,
    }),
  );

async function read(bytes: Uint8Array): Promise<string> {
  let text = '';
  for await (const piece of textPieces(bytesStream('d.parquet', bytes))) text += piece.text;
  return text;
}

test.each([1, 2, 100])('row groups of %d', async (size) => {
  const rows = (await read(file(size)))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
  expect(rows).toEqual([
    { prompt: 'a', completion: 'b', id: 1 },
    { prompt: 'é😀', completion: 'd\n', id: 2 },
    { prompt: 'c', completion: '', id: String(2n ** 60n) },
  ]);
});

test('a day is a date without a time, and a moment has one', async () => {
  const days = [new Date(Date.UTC(2024, 1, 29)), new Date(Date.UTC(-1, 0, 1))];
  const schema = [
    { name: 'root', num_children: 2 },
    { name: 'day', type: 'INT32', converted_type: 'DATE', repetition_type: 'REQUIRED' },
    { name: 'at', type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', repetition_type: 'REQUIRED' },
  ] as const;
  const columnData = [
    { name: 'day', data: days },
    { name: 'at', data: days },
  ];
  expect(rowsOf(await read(new Uint8Array(parquetWriteBuffer({ columnData, schema: [...schema] }))))).toEqual([
    { day: '2024-02-29', at: '2024-02-29T00:00:00.000Z' },
    { day: '-000001-01-01', at: '-000001-01-01T00:00:00.000Z' },
  ]);
});

const fixture = (name: string): Uint8Array =>
  new Uint8Array(readFileSync(fileURLToPath(new URL(`../../testing/fixtures/parquet/${name}`, import.meta.url))));
const rowsOf = (text: string): unknown[] =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as unknown);
const KINDS = ['snappy', 'zstd', 'gzip', 'brotli', 'lz4', 'v2'];

test.each(KINDS)('what DuckDB writes and reads: %s', async (kind) => {
  expect(rowsOf(await read(fixture(`${kind}.parquet`)))).toEqual(rowsOf(new TextDecoder().decode(fixture('rows.json'))));
});

// LISA_SLOW=1 tries 20,000 (docs/checks.md).
test('damaged files: a typed error, or rows, and soon', { timeout: 3_600_000 }, async () => {
  const random = randomStream(7, 'damaged parquet');
  let refused = 0;
  for (let i = 0; i < (SLOW ? 20_000 : 240); i++) {
    const whole = fixture(`${KINDS[i % KINDS.length]}.parquet`);
    const bytes = whole.slice(0, i % 5 === 0 ? Math.max(5, random.nextBelow(whole.length)) : whole.length);
    if (i % 5 > 0) for (let n = 0; n <= i % 4; n++) bytes[4 + random.nextBelow(bytes.length - 4)] = random.nextBelow(256);
    const begun = performance.now();
    await read(bytes).catch((error: unknown) => {
      expect(error).toBeInstanceOf(AppError);
      refused++;
    });
    expect(performance.now() - begun, `case ${i}`).toBeLessThan(5000);
  }
  expect(refused).toBeGreaterThan(100);
});
