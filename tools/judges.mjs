// @ts-check
// Packages that only judge the app. They are installed in their own folder the first time they are asked for.

import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { root, run, say, toStderr } from '../scripts/project.mjs';

/**
 * True when the folder's packages are there.
 * @param {string} folder with a package.json and a lock file, relative to the project
 */
export async function ensureJudges(folder) {
  if (existsSync(path.join(root, folder, 'node_modules', '.package-lock.json'))) return true;
  say(`Installing the judges in ${folder} …`);
  const npm = process.env.npm_execpath;
  // Not `npm ci`, which refuses a lock file that lacks a package for another platform: a registry may not have all of them.
  const args = ['install', '--no-save', '--ignore-scripts', '--prefix', path.join(root, folder)];
  const code =
    npm !== undefined && path.basename(npm).startsWith('npm-cli.')
      ? await run(process.execPath, [npm, ...args], { stdio: toStderr })
      : await run('npm', args, { stdio: toStderr, shell: process.platform === 'win32' });
  if (code !== 0) say(`The packages in ${folder} could not be installed. Check the network, then run \`npm install\` there.`);
  return code === 0;
}
