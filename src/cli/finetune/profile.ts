// `--lisa-profile FILE`: reads the file, so that the option holds what the run takes from it. With it and with --lisa-adapt the sampler is the
// weighted one if none is given.

import { readFile, stat } from 'node:fs/promises';
import { AppError } from '../../base/errors';
import { fieldOf } from '../../config/run-config';
import { MAX_PROFILE_FILE, readProfile, useOf } from '../../lisa/profile';

const FLAG = `--${fieldOf('lisaProfile').flag}`;
const ADAPT = `--${fieldOf('lisaAdapt').flag}`;
const SAMPLER = `--${fieldOf('lisaSampler').flag}`;

/** Where an option stands, and its value; null: not given. Several count as the last one. */
function find(args: readonly string[], flag: string): { readonly at: number; readonly length: number; readonly value: string } | null {
  const at = args.findLastIndex((arg) => arg === flag || arg.startsWith(`${flag}=`));
  if (at < 0) return null;
  const joined = args[at] !== flag;
  return joined ? { at, length: 1, value: args[at].slice(flag.length + 1) } : { at, length: 2, value: args[at + 1] ?? '' };
}

/** The arguments with the profile in place of its file, and the sampler that it or --lisa-adapt implies. Throws CONFIG_INVALID. */
export async function withProfile(args: readonly string[]): Promise<readonly string[]> {
  const [profile, adapt] = [find(args, FLAG), find(args, ADAPT)];
  if (!profile && !adapt) return args;
  const sampler = find(args, SAMPLER)?.value;
  if (profile && (sampler === 'uniform' || sampler === 'cycle'))
    throw new AppError(
      'CONFIG_INVALID',
      `${SAMPLER}: ${sampler} does not look at importance, and ${FLAG} is given.`,
      `Leave ${SAMPLER} out, or give weighted, bernoulli or algorithm1.`,
    );
  // A resumed run takes no settings, and is refused for the option that the person gave.
  const implied = sampler === undefined && !find(args, '--resume') && (profile || adapt?.value !== 'off');
  const follows = implied ? [SAMPLER, 'weighted'] : [];
  if (!profile) return [...args, ...follows];
  const read = readProfile(await readText(profile.value), `${FLAG} ${profile.value}`);
  const others = [...args.slice(0, profile.at), ...args.slice(profile.at + profile.length)];
  return [...others, FLAG, JSON.stringify(useOf(read)), ...follows];
}

async function readText(path: string): Promise<string> {
  const remedy = 'Give a file that npm run importance has written.';
  const info = await stat(path).catch(() => null);
  if (!info?.isFile()) throw new AppError('CONFIG_INVALID', `${FLAG}: there is no file '${path}'.`, remedy);
  if (info.size > MAX_PROFILE_FILE)
    throw new AppError('CONFIG_INVALID', `${FLAG}: ${path} is too large for an importance profile.`, remedy);
  return readFile(path, 'utf8');
}
