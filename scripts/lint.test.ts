// The house rules of eslint.config.js bite: each is shown a line that breaks it and one that keeps it.

import { ESLint } from 'eslint';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..');

// Without types: the snippets belong to files that do not exist, and the house rules need none.
const eslint = new ESLint({
  cwd: root,
  overrideConfig: { languageOptions: { parserOptions: { projectService: false, project: false } } },
  ruleFilter: ({ ruleId }) => HOUSE_RULES.has(ruleId),
});
const HOUSE_RULES = new Set([
  'project/layers',
  'no-restricted-syntax',
  'no-restricted-globals',
  'no-restricted-properties',
  'no-console',
  'eqeqeq',
  '@typescript-eslint/no-explicit-any',
  'react-hooks/rules-of-hooks',
]);

async function brokenRules(file: string, code: string): Promise<(string | null)[]> {
  const [result] = await eslint.lintText(code, { filePath: path.join(root, file) });
  return result.messages.map((message) => message.ruleId ?? message.message);
}

test.each([
  // the layers of design.md
  ['src/gpu/x.ts', `import { plan } from '../model/ops';`, 'project/layers'],
  ['src/gpu/x.ts', `import { fill } from '../shaders/fill';`, 'project/layers'],
  ['src/gpu/x.ts', `export * from '../train/session';`, 'project/layers'],
  ['src/plan/x.ts', `import { openGpu } from '../gpu/device';`, 'project/layers'],
  ['src/plan/deep/x.ts', `import { openGpu } from '../../gpu/device';`, 'project/layers'],
  ['src/lisa/schedule.ts', `import { Controller } from './controller';`, 'project/layers'],
  ['src/lisa/importance-x.ts', `export { Allocator } from '../gpu/allocator';`, 'project/layers'],
  ['src/model/config.ts', `import { readFile } from 'node:fs/promises';`, 'project/layers'],
  ['src/data/x.ts', `import { store } from '../io/opfs';`, 'project/layers'],
  ['src/config.ts', `import { session } from './train/session';`, 'project/layers'],
  ['src/random.ts', `import type { Gpu } from './gpu/device';`, 'project/layers'],
  ['src/ui/x.tsx', `import { Session } from '../train/session';`, 'project/layers'],
  ['src/ui/parts/x.tsx', `const engine = await import('../../train/session');`, 'project/layers'],
  ['src/ui/x.tsx', `import { MEMORY_CLASSES } from '../plan/types';`, 'project/layers'],
  ['src/store/x.ts', `import { App } from '../ui/App';`, 'project/layers'],
  ['src/train/session.ts', `import { NodeFiles } from '../io/node-files';`, 'project/layers'],
  ['src/gpu/device.ts', `const { create } = await import('webgpu');`, 'project/layers'],
  ['src/plan/x.test.ts', `import { create } from 'webgpu';`, 'project/layers'],
  ['src/io/opfs.ts', `import path from 'node:path';`, 'project/layers'],
  ['src/train/x.ts', `import { useState } from 'react';`, 'project/layers'],
  ['src/errors.ts', `type Plan = import('./gpu/device').Gpu;`, 'project/layers'],
  // single places
  ['src/gpu/executor.ts', `device.createBuffer({ size: 4, usage: 1 });`, 'no-restricted-syntax'],
  ['src/gpu/executor.test.ts', `gpu.device?.createBuffer({ size: 4, usage: 1 });`, 'no-restricted-syntax'],
  ['src/ui/x.tsx', `const x = <p dangerouslySetInnerHTML={{ __html: text }} />;`, 'no-restricted-syntax'],
  ['src/ui/x.tsx', `element.innerHTML = text;`, 'no-restricted-syntax'],
  // purity
  ['src/plan/x.ts', `const usage = GPUBufferUsage.STORAGE;`, 'no-restricted-globals'],
  ['src/config.ts', `const url = window.location.href;`, 'no-restricted-globals'],
  ['src/lisa/schedule.ts', `const seed = Math.random();`, 'no-restricted-properties'],
  ['src/train/session.ts', `const seed = Math.random();`, 'no-restricted-properties'],
  ['src/data/x.ts', `const now = Date.now();`, 'no-restricted-properties'],
  // habits
  ['src/train/session.ts', `console.log(loss);`, 'no-console'],
  ['src/train/session.ts', `if (a == b) stop();`, 'eqeqeq'],
  ['src/train/session.ts', `let a: any;`, '@typescript-eslint/no-explicit-any'],
  ['src/ui/x.tsx', `function Part() { if (a) useState(0); return null; }`, 'react-hooks/rules-of-hooks'],
])('%s refuses: %s', async (file, code, rule) => {
  expect(await brokenRules(file, code)).toEqual([rule]);
});

test.each([
  [
    'src/gpu/x.ts',
    `import { AppError } from '../errors';\nimport { gridSize } from '../plan/types';\nimport type { Kernel } from '../shaders/kernel';`,
  ],
  ['src/gpu/node.ts', `const { create } = await import('webgpu');`],
  ['src/gpu/allocator.ts', `device.createBuffer({ size: 4, usage: 1 });`],
  ['src/plan/x.ts', `import type { ClassBytes } from '../gpu/allocator';\nimport wgsl from '../shaders/fill.wgsl?raw';`],
  ['src/plan/x.test.ts', `import { openGpu } from '../gpu/device';\nimport fs from 'node:fs';`],
  ['src/io/node-files.ts', `import fs from 'node:fs';`],
  [
    'src/ui/x.tsx',
    `import { useRun } from '../store/run';\nimport type { MemoryClass } from '../plan/types';\nimport { useState } from 'react';`,
  ],
  ['src/cli/finetune.ts', `import { Session } from '../train/session';\nimport fs from 'node:fs';\nconsole.log(1);`],
  ['src/train/session.ts', `import { Allocator } from '../gpu/allocator';\nimport { schedule } from '../lisa/schedule';`],
])('%s accepts: %s', async (file, code) => {
  expect(await brokenRules(file, code)).toEqual([]);
});
