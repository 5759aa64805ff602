// `npm run record`: trains the built-in model with LISA and keeps every event of it in public/recorded/run.json, which
// the page replays if there is no GPU. The period is short, so that a viewer sees layers change often.

import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { DEFAULTS, type RunConfig } from '../config/run-config';
import { openGpu } from '../gpu/device';
import { nodeGpu, UNCHECKED } from '../gpu/node';
import { BUILTIN_DATASETS, BUILTIN_MODELS } from '../io/sources/builtin';
import { writeText } from '../io/node/output';
import { nodeSource, openDataFile } from '../io/node/source';
import { prepareInputs } from '../train/prepare';
import { encodeRecording, type TimedEvent } from '../train/recording';
import { Session } from '../train/session';
import { describeEvent } from './finetune/print';
import { Terminal } from './terminal';

const CONFIG: RunConfig = {
  ...DEFAULTS,
  data: 'pirate',
  steps: 60,
  stepsPerPeriod: 5,
  warmup: 6,
  evalEvery: 15,
  saveEvery: 0,
  sampleTokens: 48,
};

/** A larger recording would load slowly on a phone. */
const MOST_BYTES = 60_000;

const publicFolder = fileURLToPath(new URL('../public/', import.meta.url));
const target = join(publicFolder, 'recorded', 'run.json');
const terminal = new Terminal();
const say = (line: string): void => terminal.stderr(`${line}\n`);

const builtin = (path: string): string => join(publicFolder, path);
const model = BUILTIN_MODELS.find(({ id }) => id === CONFIG.model)!;
const data = BUILTIN_DATASETS.find(({ id }) => id === CONFIG.data)!;
const inputs = await prepareInputs(CONFIG, {
  model: await nodeSource(builtin(model.path)),
  data: await openDataFile(builtin(data.train)),
  evalData: await openDataFile(builtin(data.evaluation)),
});

const gpu = await openGpu(await nodeGpu(UNCHECKED));
const events: TimedEvent[] = [];
const recordedAt = new Date().toISOString();
const begun = performance.now();
const session = await Session.create(gpu, inputs, {
  checkpoints: null,
  gate: () => Promise.resolve('go'),
  discarded: () => false,
  emit(event) {
    events.push({ at: performance.now() - begun, event });
    const line = describeEvent(event, CONFIG.steps);
    if (line !== null) say(line);
  },
});
await session.run();

const json = encodeRecording({ recordedAt, config: inputs.config, events });
if (json.length > MOST_BYTES) {
  say(`The recording has ${json.length} bytes; at most ${MOST_BYTES} are shipped. Nothing is written.`);
  process.exit(1);
}
await writeText(target, json);
say(`${json.length} bytes in ${target}`);
process.exit(0);
