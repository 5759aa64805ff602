import { expect, it } from 'vitest';
import { bytesStream, textPieces } from '../../data/read/text-stream';
import type { DataRow } from '../../data/read/types';
import { parseData } from '../../testing/whole-data';
import { SAMPLE_FORMATS } from './SampleFiles';
import { sampleFile, type SampleFormat } from './sample-files';

/** As the page reads it. */
async function rowsOf(format: SampleFormat): Promise<readonly DataRow[]> {
  const { name, content } = sampleFile(format);
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content;
  let text = '';
  for await (const piece of textPieces(bytesStream(name, bytes))) text += piece.text;
  return parseData({ name, text }, { badRows: 'refuse' }).rows;
}

it('holds the same conversations in every format', async () => {
  const messages = async (format: SampleFormat) => (await rowsOf(format)).map((row) => row.kind === 'chat' && row.messages);
  const expected = await messages('jsonl');
  expect(expected).toHaveLength(6);
  expect(expected[0]).toMatchObject([{ role: 'user' }, { role: 'assistant' }]);
  for (const format of ['json', 'csv', 'tsv', 'parquet'] as const) expect(await messages(format), format).toEqual(expected);
  const [text] = await rowsOf('txt');
  expect(text.kind === 'text' && text.text).toContain('What is a keel? The long beam');
  expect(SAMPLE_FORMATS).toHaveLength(6);
});
