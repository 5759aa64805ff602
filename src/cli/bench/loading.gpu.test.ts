// The slow proof with a model of 500 MB is `npm run bench -- --loading`. This test uses a tensor that is larger than
// the memory that may be used.

import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { nodeLab } from '../../testing/node-lab';
import { LOADING_CASES, measureLoading } from './loading';

test('a model goes to the GPU, into a checkpoint and out again without ever being whole in memory', async () => {
  const { gpu } = await nodeLab();
  const tokenizer = fileURLToPath(new URL('../../../public/models/wordsmith-2m/', import.meta.url));
  const [wide] = LOADING_CASES;
  const proof = await measureLoading(gpu, { ...wide, config: { ...wide.config, vocab_size: 16_384 } }, tokenizer);
  console.log(proof.peaks.map(({ stage, bytes }) => `${stage} ${(bytes / 1e6).toFixed(1)} MB`).join(', '));
  for (const { stage, bytes } of proof.peaks) expect(bytes, stage).toBeLessThan(proof.largest);
}, 120_000);
