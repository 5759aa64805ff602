// Sample files of every format that the page reads, made from one list, so that they cannot drift apart. Loaded when one is asked for.

import { parquetWriteBuffer } from 'hyparquet-writer';

const ROWS: readonly (readonly [prompt: string, completion: string])[] = [
  ['What is a keel?', 'The long beam at the bottom of a ship that holds it together.'],
  ['What is a galley?', 'The kitchen of a ship.'],
  ['What does “aft” mean?', 'Toward the back of a ship; the opposite is “forward”.'],
  ['What is a knot?', 'A speed of one nautical mile, 1,852 metres, an hour.'],
  ['Who is the boatswain?', 'The officer in charge of the deck, its ropes and its anchors.'],
  ['What is a log line?', 'A rope with knots at equal distances, thrown over the side to measure the speed.'],
];
const HEADER = ['prompt', 'completion'] as const;

const asObject = ([prompt, completion]: (typeof ROWS)[number]) => ({ prompt, completion });
const asChat = ([prompt, completion]: (typeof ROWS)[number]) => ({
  messages: [
    { role: 'user', content: prompt },
    { role: 'assistant', content: completion },
  ],
});
/** RFC 4180. */
const cell = (text: string): string => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const lines = (rows: readonly string[]): string => `${rows.join('\n')}\n`;

function parquet(): Uint8Array<ArrayBuffer> {
  const columnData = HEADER.map((name, at) => ({ name, data: ROWS.map((row) => row[at]), type: 'STRING' as const }));
  return new Uint8Array(parquetWriteBuffer({ columnData }));
}

const MAKERS = {
  jsonl: () => lines(ROWS.map((row) => JSON.stringify(asChat(row)))),
  json: () => `${JSON.stringify(ROWS.map(asObject), null, 2)}\n`,
  csv: () => lines([HEADER, ...ROWS].map((row) => row.map(cell).join(','))),
  tsv: () => lines([HEADER, ...ROWS].map((row) => row.join('\t'))),
  parquet,
  txt: () => lines(ROWS.map((row) => row.join(' '))),
} satisfies Record<string, () => string | Uint8Array<ArrayBuffer>>;

export type SampleFormat = keyof typeof MAKERS;

export interface SampleFile {
  readonly name: string;
  readonly content: string | Uint8Array<ArrayBuffer>;
}

export const sampleFile = (format: SampleFormat): SampleFile => ({ name: `sample.${format}`, content: MAKERS[format]() });
