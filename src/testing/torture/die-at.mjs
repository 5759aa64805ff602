// @ts-check
// Loaded into a program of the terminal before it begins (node --import). It counts the operations that change files, in their order. With
// LISA_DIE_AT = n the process ends by SIGKILL at the n-th: before it, or in the middle of it if it writes. With LISA_COUNT_TO their number
// is written to that file at the end.

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import process from 'node:process';

const dieAt = Number(process.env.LISA_DIE_AT ?? Infinity);
const countTo = process.env.LISA_COUNT_TO;
let operations = 0;

/** @typedef {(...args: any[]) => any} Operation */
/** Wraps an operation; `half` does half of it. */
const counted =
  (/** @type {Operation} */ perform, /** @type {Operation} */ half = () => undefined) =>
  (/** @type {any[]} */ ...args) => {
    if (++operations !== dieAt) return perform(...args);
    half(...args);
    process.kill(process.pid, 'SIGKILL');
    // It does not come back.
    for (;;);
  };

const { writeSync, writeFileSync } = fs;
const halfOf = (/** @type {unknown} */ data) => {
  const bytes = typeof data === 'string' ? Buffer.from(data) : /** @type {Uint8Array} */ (data);
  return bytes.subarray(0, bytes.byteLength >> 1);
};

/** @type {Record<string, Operation>} */
const promises = /** @type {any} */ (fs.promises);
for (const name of ['mkdir', 'rename', 'rm', 'rmdir', 'appendFile']) promises[name] = counted(promises[name].bind(fs.promises));
const open = promises.open.bind(fs.promises);
const openCounted = counted(open);
promises.open = async (...args) => {
  if (!/^[wa]/.test(String(args[1] ?? 'r'))) return open(...args);
  const handle = await openCounted(...args);
  handle.writeFile = counted(handle.writeFile.bind(handle), (data) => writeSync(handle.fd, halfOf(data)));
  for (const name of ['write', 'sync']) handle[name] = counted(handle[name].bind(handle));
  return handle;
};
/** @type {Record<string, Operation>} */
const sync = /** @type {any} */ (fs);
const openSync = sync.openSync;
const openSyncCounted = counted(openSync);
sync.openSync = (...args) => (/^[wa]/.test(String(args[1] ?? 'r')) ? openSyncCounted : openSync)(...args);
for (const name of ['writeSync', 'unlinkSync']) sync[name] = counted(sync[name]);
syncBuiltinESMExports();

if (countTo !== undefined) process.on('exit', () => writeFileSync(countTo, String(operations)));
