// A model that this project did not make, from its files to its text. The test is skipped if the model is not
// available.

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { expect, test } from 'vitest';
import { DEFAULTS } from '../../config/run-config';
import { nodeSource } from '../../io/node/source';
import { ROOT } from '../../testing/tiny-cli';
import { openTiny, textRows } from '../../testing/tiny-session';
import { prepareInputs } from '../../train/prepare';
import { completions } from '../../train/sampling';

const FOLDER = join(process.env.LISA_REAL_DIR ?? join(ROOT, '../shared/real'), 'stories260k');
const STORY = ', there was a little girl named Lily. She loved to play outside in the park. One day, she saw a big, red ball';
const absent = !existsSync(FOLDER);
if (absent) console.log(`skipped: the story model is not in ${FOLDER} (LISA_REAL_DIR names the folder above it)`);

test.skipIf(absent)('stories260k continues "Once upon a time" as other programs do', async () => {
  const config = { ...DEFAULTS, seqLen: 32, batchSize: 1, prompts: ['Once upon a time'], temperature: 0 };
  const inputs = await prepareInputs(config, { model: await nodeSource(FOLDER), data: textRows(4), evalData: null });
  const { session } = await openTiny(inputs);
  try {
    const texts: string[] = [];
    for await (const { text } of completions(session.engine, inputs, () => Promise.resolve())) texts.push(text);
    expect(texts.map((text) => text.slice(0, STORY.length))).toEqual([STORY]);
  } finally {
    session.close();
  }
});
