// `npm run check-device [-- --json FILE]`: proves that this device computes what LISA Studio needs, and how fast.

import { parseArgs } from 'node:util';
import { AppError, errorInfo } from '../base/errors';
import { openGpu } from '../gpu/device';
import { nodeGpu } from '../gpu/node';
import { checkDevice } from '../train/check-device';
import { verdict, type DeviceReport } from '../train/device-report';
import { table } from './bench/print';
import { writeJson } from '../io/node/output';

const HELP = `npm run check-device [-- --json FILE]

Runs every kernel beside its float64 reference at odd and real sizes, three training steps, and times each family of kernels.
Prints what is right, what is left out and how fast it is; --json writes the same as a report to send (- for standard output).
Exit status: 0 if the device can be trained on, 1 if not, 2 for a wrong option.
`;

interface Streams {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/** Returns the exit status. */
export async function runCheckDevice(args: readonly string[], streams: Streams): Promise<number> {
  try {
    return await check(args, streams);
  } catch (thrown) {
    const { code, detail, remedy } = errorInfo(thrown);
    streams.stderr(`${`${detail} ${remedy}`.trim()}\n`);
    return code === 'CONFIG_INVALID' ? 2 : 1;
  }
}

async function check(args: readonly string[], { stdout, stderr }: Streams): Promise<number> {
  let json: string | undefined;
  try {
    const { values } = parseArgs({ args: [...args], options: { json: { type: 'string' }, help: { type: 'boolean' } } });
    if (values.help) {
      stdout(HELP);
      return 0;
    }
    json = values.json;
  } catch (cause) {
    throw new AppError('CONFIG_INVALID', `${(cause as Error).message}.`, 'See npm run check-device -- --help.', { cause });
  }
  // With Dawn's own bounds checks: what a browser runs.
  const gpu = await openGpu(await nodeGpu());
  try {
    let last = -1;
    const report = await checkDevice(gpu, `Node ${process.version}, Dawn`, {
      told: (fraction, what) => {
        const tenth = Math.floor(fraction * 10);
        if (tenth > last) stderr(`${Math.round(fraction * 100)} %  ${what}\n`);
        last = Math.max(last, tenth);
      },
      check: () => undefined,
    });
    if (json === '-') stdout(`${JSON.stringify(report, null, 2)}\n`);
    else {
      stdout(describe(report));
      if (json !== undefined) await writeJson(json, report);
    }
    return report.usable.length > 0 ? 0 : 1;
  } finally {
    gpu.close();
  }
}

function describe(report: DeviceReport): string {
  const { device, kernels, steps, speed, limits } = report;
  const wrong = kernels.filter(({ right }) => !right);
  const lines = [
    `${device.description}${device.software ? ' (software)' : ''}; ${report.runtime}`,
    `largest buffer ${(limits.maxBufferSize / 2 ** 20).toFixed(0)} MiB, largest binding ${(limits.maxStorageBufferBindingSize / 2 ** 20).toFixed(0)} MiB; ${report.features.join(', ')}`,
    '',
    verdict(report),
    '',
    table(
      ['kernel', 'family', 'error', 'at most'],
      kernels.map((result) => [
        result.name,
        result.group,
        result.refused ? 'refused' : (result.error?.toExponential(1) ?? 'not finite'),
        `${result.bound.toExponential(1)}${result.right ? '' : '  WRONG'}`,
      ]),
    ),
    ...wrong.flatMap(({ name, refused }) => (refused === undefined ? [] : ['', `${name}: ${refused}`])),
    '',
    ...steps.map(
      ({ kernels: { matmul, attention }, losses, error, ms, right }) =>
        `three steps with ${matmul} products and ${attention} attention: losses ${losses.map((loss) => loss.toFixed(5)).join(', ')} (off by ${error?.toExponential(1) ?? 'much'}), ${ms.toFixed(1)} ms the last${right ? '' : '  WRONG'}`,
    ),
    '',
    table(
      ['speed', 'family', 'ms', 'per second'],
      speed.map(({ name, group, ms, perSecond, unit }) => [
        name,
        group,
        ms.toFixed(3),
        unit === 'FLOP' ? `${(perSecond / 1e9).toFixed(1)} GFLOP` : `${(perSecond / 1e9).toFixed(1)} GB`,
      ]),
    ),
  ];
  return `${lines.join('\n')}\n`;
}
