// @ts-check
// A reporter for vitest: it tells the process that started it what happens, one JSON line per event, so that the
// process can end the run at the first new failure, and see where a test hangs.

import path from 'node:path';
import process from 'node:process';

export const MARK = '@mutants ';

/** @typedef {import('vitest/node').TestCase} TestCase */
/** @typedef {import('vitest/node').TestModule} TestModule */

/**
 * @typedef {{ type: 'begin', test: string }
 *   | { type: 'result', file: string, test: string, failed: boolean }
 *   | { type: 'file', file: string, seconds: number, failed: boolean }
 *   | { type: 'end', errors: string[] }} Event
 */

function tell(/** @type {Event} */ event) {
  process.stdout.write(`${MARK}${JSON.stringify(event)}\n`);
}

const nameOf = (/** @type {TestModule} */ { moduleId }) => path.relative(process.cwd(), moduleId).replaceAll(path.sep, '/');

/** A reporter of vitest. */
export default class MutantsReporter {
  onTestCaseReady(/** @type {TestCase} */ test) {
    tell({ type: 'begin', test: test.fullName });
  }

  onTestCaseResult(/** @type {TestCase} */ test) {
    tell({ type: 'result', file: nameOf(test.module), test: test.fullName, failed: test.result().state === 'failed' });
  }

  onTestModuleEnd(/** @type {TestModule} */ module) {
    const { collectDuration, duration } = module.diagnostic();
    // If a file or a hook cannot run, no test reports it.
    const hooks = [...module.children.allSuites()].flatMap((suite) => suite.errors());
    tell({
      type: 'file',
      file: nameOf(module),
      seconds: (collectDuration + duration) / 1000,
      failed: module.errors().length + hooks.length > 0,
    });
  }

  onTestRunEnd(/** @type {readonly TestModule[]} */ _modules, /** @type {readonly { message: string }[]} */ errors) {
    tell({ type: 'end', errors: errors.map(({ message }) => message) });
  }
}
