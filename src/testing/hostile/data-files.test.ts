// Damaged data files, compared with readers that share nothing with ours: split and JSON.parse for JSON lines, a state machine over
// characters for CSV.

import { describe, expect, it } from 'vitest';
import { readData, type ReadData } from '../whole-data';
import { foundKind, separatorOf } from '../../data/read/detect-shape';
import type { DataRow } from '../../data/read/types';
import { damagedText } from './mutate';
import { hostile, TIMEOUT_MS } from './run';

/** Bad rows don't count as a refusal here: the reader skips them. */
function read(name: string, text: string): ReadData {
  const data = readData({ name, text }, null);
  if (data.refusal) throw data.refusal;
  return data;
}

const JSONL = [
  ['{"text":"One\\nline \\u00e9 🙂"}', '', '{"text":"two","id":7}', '  {"prompt":"p","completion":"c"}  '].join('\n'),
  ['{"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"a"}]}', '{"instruction":"i","input":"x","output":"o"}'].join(
    '\r\n',
  ),
];

/** A second implementation of our rules for a row; null if it has none of the known shapes. */
function rowOf(value: unknown): DataRow | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const json = value as Record<string, unknown>;
  const has = (...keys: string[]): boolean => keys.every((key) => Object.keys(json).includes(key));
  const turn = (role: 'user' | 'assistant', content: unknown) => ({ role, content });
  let messages: { role: unknown; content: unknown }[];
  const list = (part: unknown): { role: unknown; content: unknown }[] | null =>
    Array.isArray(part) && part.length > 0 && part.every((m) => typeof m === 'object' && m !== null && !Array.isArray(m))
      ? (part as Record<string, unknown>[]).map(({ role, content }) => ({ role, content }))
      : null;
  if (has('messages')) {
    const all = list(json.messages);
    if (!all) return null;
    messages = all;
  } else if (has('prompt', 'completion')) {
    const sides = (['prompt', 'completion'] as const).map((key, i) =>
      Array.isArray(json[key]) ? list(json[key]) : [turn(i === 0 ? 'user' : 'assistant', json[key])],
    );
    if (!sides[0] || !sides[1]) return null;
    messages = [...sides[0], ...sides[1]];
  } else if (has('instruction', 'output')) {
    const input = json.input ?? '';
    if (typeof input !== 'string') return null;
    messages = [turn('user', input === '' ? json.instruction : `${String(json.instruction)}\n\n${input}`), turn('assistant', json.output)];
    if (typeof json.instruction !== 'string') return null;
  } else {
    return has('text') && typeof json.text === 'string' ? { kind: 'text', text: json.text } : null;
  }
  const sound = messages.every(
    ({ role, content }) => ['system', 'user', 'assistant', 'tool'].includes(String(role)) && typeof content === 'string',
  );
  return sound ? ({ kind: 'chat', messages } as DataRow) : null;
}

/** What the second reader knows of a row. */
const known = (row: DataRow): DataRow =>
  row.kind === 'text'
    ? { kind: 'text', text: row.text, ...(row.row !== undefined && { row: row.row }) }
    : {
        kind: 'chat',
        messages: row.messages.map(({ role, content }) => ({ role, content })),
        ...(row.row !== undefined && { row: row.row }),
      };

/** Whether the first line that is not blank is JSON by itself: else the file may be framed in another way. */
function beginsWithALine(text: string): boolean {
  try {
    return typeof JSON.parse(/[^\s\ufeff].*/.exec(text)?.[0] ?? '') === 'object';
  } catch {
    return false;
  }
}

describe('damaged data files', () => {
  it(
    'JSON lines',
    () => {
      hostile(
        'JSONL',
        damagedText(JSONL).filter((text) => !/^[\s\ufeff]*\[/.test(text) && beginsWithALine(text)),
        (text) => read('x.jsonl', text),
        ({ rows, badRows }, text) => {
          const lines = text.replace(/^\ufeff/, '').split('\n');
          const expected: DataRow[] = [];
          let bad = 0;
          for (const [i, line] of lines.entries()) {
            if (line.trim() === '') continue;
            let row: DataRow | null = null;
            try {
              row = rowOf(JSON.parse(line.trim()));
            } catch {
              // This line is not JSON.
            }
            if (row) expected.push({ ...row, row: i + 1 });
            else bad++;
          }
          expect(rows.map(known)).toEqual(expected);
          expect(badRows).toHaveLength(bad);
        },
      );
    },
    TIMEOUT_MS,
  );

  const CSV = [
    'prompt,completion\r\n"a ""quoted"" word","two\nlines"\r\nplain,second\r\n',
    'id,Text\n1,one\n\n2,"t,w,o"\n3,three',
    'instruction,input,output\rsay,,it\rdo,"x\r\ny",done',
  ];

  /** Records of fields by RFC 4180, or null for one that breaks it. */
  function machine(text: string): (string[] | null)[] {
    const records: (string[] | null)[] = [];
    let fields: string[] = [];
    let field = '';
    let state: 'start' | 'plain' | 'quoted' | 'closed' = 'start';
    let broken = false;
    let any = false;
    const endRecord = (): void => {
      if (any || fields.length > 0) records.push(broken ? null : [...fields, field]);
      fields = [];
      field = '';
      state = 'start';
      broken = any = false;
    };
    for (let i = 0; i < text.length; i++) {
      const c = text[i];
      if (state === 'quoted') {
        if (c !== '"') field += c;
        else if (text[i + 1] === '"') field += text[i++];
        else state = 'closed';
      } else if (c === ',') {
        fields.push(field);
        field = '';
        state = 'start';
        any = true;
      } else if (c === '\n' || c === '\r') {
        if (c === '\r' && text[i + 1] === '\n') i++;
        endRecord();
      } else if (c === '"' && state === 'start') {
        state = 'quoted';
        any = true;
      } else {
        if (state === 'closed' || c === '"') broken = true;
        field += c;
        if (state === 'start') state = 'plain';
        any = true;
      }
    }
    if (state === 'quoted') broken = true;
    endRecord();
    return records;
  }

  it(
    'CSV',
    () => {
      hostile(
        'CSV',
        damagedText(CSV).filter(
          (text) => foundKind('x.csv', text) === 'csv' && separatorOf(text.replace(/^\ufeff/, ''), null, false) === ',',
        ),
        (text) => read('x.csv', text),
        ({ rows, badRows }, text) => {
          const [header, ...records] = machine(text.replace(/^\ufeff/, ''));
          const keys = header!.map((name) =>
            /^\s*(prompt|completion|instruction|input|output|text|messages)\s*$/i.test(name) ? name.trim().toLowerCase() : name.trim(),
          );
          const expected: (DataRow | null)[] = records.map((fields) => {
            if (!fields || fields.length !== keys.length) return null;
            const value: Record<string, unknown> = Object.fromEntries(keys.map((key, i) => [key, fields[i]]));
            if (Object.hasOwn(value, 'messages')) {
              try {
                value.messages = JSON.parse(String(value.messages));
              } catch {
                return null;
              }
            }
            return rowOf(value);
          });
          const sound = expected.filter((row) => row !== null);
          expect(rows.map((row) => known({ ...row, row: undefined }))).toEqual(sound);
          expect(badRows).toHaveLength(expected.length - sound.length);
        },
      );
    },
    TIMEOUT_MS,
  );
});
