// The house rules of eslint.config.js work: each is given a line that breaks it and one that follows it.

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
  'project/circles',
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
  // the order of the folders
  ['src/base/x.ts', `import type { Gpu } from '../gpu/device';`, 'project/layers'],
  ['src/base/x.ts', `type Plan = import('../gpu/device').Gpu;`, 'project/layers'],
  ['src/dispatch/x.ts', `import wgsl from '../shaders/copy/fill.wgsl?raw';`, 'project/layers'],
  ['src/shaders/copy/x.ts', `import type { RunPlan } from '../../plan/run-plan';`, 'project/layers'],
  ['src/gpu/x.ts', `import { plan } from '../model/parameters';`, 'project/layers'],
  ['src/gpu/x.ts', `import { fill } from '../shaders/copy/fill';`, 'project/layers'],
  ['src/gpu/x.ts', `export * from '../train/session';`, 'project/layers'],
  ['src/plan/x.ts', `import { openGpu } from '../gpu/device';`, 'project/layers'],
  ['src/plan/deep/x.ts', `import { openGpu } from '../../gpu/device';`, 'project/layers'],
  ['src/lisa/x.ts', `export { Allocator } from '../gpu/allocator';`, 'project/layers'],
  ['src/data/read/x.ts', `import type { RunConfig } from '../../config/run-config';`, 'project/layers'],
  ['src/config/x.ts', `import { session } from '../train/session';`, 'project/layers'],
  ['src/io/formats/x.ts', `import type { Checkpoint } from '../../train/checkpoint';`, 'project/layers'],
  ['src/train/x.ts', `import type { Command } from '../worker/protocol';`, 'project/layers'],
  ['src/ui/x.tsx', `import { openGpu } from '../gpu/device';`, 'project/layers'],
  ['src/ui/deep/x.tsx', `const engine = await import('../../engine/engine');`, 'project/layers'],
  ['src/store/run/x.ts', `import { App } from '../../ui/App';`, 'project/layers'],
  ['src/cli/x.ts', `import { serve } from '../../scripts/serve';`, 'project/layers'],
  ['src/unknown/x.ts', `let a = 1;`, 'project/layers'],
  ['src/x.ts', `let a = 1;`, 'project/layers'],
  // packages with a place of their own
  ['src/model/x.ts', `import { readFile } from 'node:fs/promises';`, 'project/layers'],
  ['src/io/browser/x.ts', `import path from 'node:path';`, 'project/layers'],
  ['src/gpu/device.ts', `const { create } = await import('webgpu');`, 'project/layers'],
  ['src/plan/x.test.ts', `import { create } from 'webgpu';`, 'project/layers'],
  ['src/train/x.ts', `import { useState } from 'react';`, 'project/layers'],
  ['src/store/run/x.ts', `import { createRoot } from 'react-dom/client';`, 'project/layers'],
  ['src/io/hub/x.ts', `import { Template } from '@huggingface/jinja';`, 'project/layers'],
  // circles: types.ts imports extents.ts, and kernel.ts imports both
  ['src/dispatch/extents.ts', `import type { View } from './types';`, 'project/circles'],
  ['src/dispatch/extents.ts', `export { kernel } from './kernel';`, 'project/circles'],
  ['src/dispatch/extents.ts', `type Kernel = import('./types').Kernel;`, 'project/circles'],
  ['src/dispatch/extents.ts', `import * as self from './extents';`, 'project/circles'],
  // single places
  ['src/gpu/executor.ts', `device.createBuffer({ size: 4, usage: 1 });`, 'no-restricted-syntax'],
  ['src/gpu/executor.test.ts', `gpu.device?.createBuffer({ size: 4, usage: 1 });`, 'no-restricted-syntax'],
  ['src/ui/x.tsx', `const x = <p dangerouslySetInnerHTML={{ __html: text }} />;`, 'no-restricted-syntax'],
  ['src/ui/x.tsx', `element.innerHTML = text;`, 'no-restricted-syntax'],
  // purity
  ['src/plan/x.ts', `const usage = GPUBufferUsage.STORAGE;`, 'no-restricted-globals'],
  ['src/config/x.ts', `const url = window.location.href;`, 'no-restricted-globals'],
  ['src/lisa/schedule.ts', `const seed = Math.random();`, 'no-restricted-properties'],
  ['src/dispatch/x.ts', `const cores = navigator.hardwareConcurrency;`, 'no-restricted-globals'],
  ['src/shaders/copy/x.ts', `const now = performance.now();`, 'no-restricted-properties'],
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
  ['src/gpu/x.ts', `import { AppError } from '../base/errors';\nimport { gridSize } from '../dispatch/extents';`],
  ['src/gpu/node.ts', `const { create } = await import('webgpu');`],
  ['src/gpu/allocator.ts', `device.createBuffer({ size: 4, usage: 1 });`],
  ['src/plan/x.ts', `import type { Kernel } from '../dispatch/types';\nimport { fill } from '../shaders/copy/fill';`],
  ['src/shaders/copy/x.ts', `import wgsl from './fill.wgsl?raw';`],
  ['src/plan/x.test.ts', `import { openGpu } from '../gpu/device';\nimport fs from 'node:fs';`],
  ['src/testing/x.ts', `import { Session } from '../train/session';\nimport fs from 'node:fs';`],
  ['src/io/node/x.ts', `import fs from 'node:fs';`],
  ['src/data/tokenize/x.ts', `import { Template } from '@huggingface/jinja';`],
  ['src/ui/x.tsx', `import { useRun } from '../store/run/run';\nimport { useState } from 'react';`],
  ['src/cli/finetune.ts', `import { Session } from '../train/session';\nimport fs from 'node:fs';\nconsole.log(1);`],
  ['src/train/session.ts', `import { Allocator } from '../gpu/allocator';\nimport { schedule } from '../lisa/schedule';`],
  // a way down, and not back
  ['src/dispatch/types.ts', `import type { Extents } from './extents';`],
  ['src/dispatch/types.test.ts', `import { kernel } from './kernel';`],
])('%s accepts: %s', async (file, code) => {
  expect(await brokenRules(file, code)).toEqual([]);
});
