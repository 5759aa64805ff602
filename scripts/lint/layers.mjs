// @ts-check
// The lint rule that holds the folders of src/ in order: a file may import only from its own folder and from the folders
// listed for it, and a package that belongs to one place only in that place. Types count like values. Tests may import
// anything except the packages that no test may use.

import path from 'node:path';
import { eachImport } from './imports.mjs';

/** The folders of src/, lowest first, and which of the others each may import from. */
const RULES = /** @type {Record<string, readonly string[]>} */ ({
  base: [],
  dispatch: ['base'],
  shaders: ['base', 'dispatch'],
  model: ['base'],
  data: ['base', 'dispatch', 'model'],
  config: ['base', 'data'],
  lisa: ['base', 'config'],
  plan: ['base', 'dispatch', 'shaders', 'model', 'config', 'lisa'],
  gpu: ['base', 'dispatch'],
  check: ['base', 'dispatch', 'shaders', 'gpu'],
  io: ['base', 'dispatch', 'model', 'data'],
  engine: ['base', 'dispatch', 'shaders', 'model', 'data', 'config', 'lisa', 'plan', 'gpu', 'check', 'io'],
  train: ['base', 'dispatch', 'shaders', 'model', 'data', 'config', 'lisa', 'plan', 'gpu', 'check', 'io', 'engine'],
  export: ['base', 'dispatch', 'model', 'data', 'config', 'plan', 'io', 'engine', 'train'],
  worker: ['base', 'dispatch', 'model', 'data', 'config', 'lisa', 'plan', 'gpu', 'io', 'engine', 'train', 'export'],
  store: ['base', 'dispatch', 'model', 'data', 'config', 'lisa', 'plan', 'io', 'train', 'export', 'worker'],
  ui: ['base', 'dispatch', 'model', 'data', 'config', 'lisa', 'plan', 'io', 'train', 'export', 'worker', 'store'],
  cli: ['base', 'dispatch', 'shaders', 'model', 'data', 'config', 'lisa', 'plan', 'gpu', 'check', 'io', 'engine', 'train', 'export'],
});

/**
 * Packages that only some places may import: folders, or files by their path. The first name that fits decides; any other
 * package is free.
 */
const PACKAGES = [
  { name: /^webgpu$/, places: ['gpu/node.ts'], inTests: false },
  { name: /^node:/, places: ['io/node', 'cli', 'testing'], inTests: true },
  { name: /^react-dom(\/|$)/, places: ['ui'], inTests: true },
  { name: /^(react|zustand)(\/|$)/, places: ['store', 'ui'], inTests: true },
  { name: /^@huggingface\//, places: ['data'], inTests: true },
];

/** The folder of src/ that a file is in. */
const folderOf = (/** @type {string} */ file) => file.slice(0, Math.max(0, file.indexOf('/')));

/** Whether a file of src/ is the place or is inside it. */
const liesIn = (/** @type {string} */ file, /** @type {string} */ place) => file === place || file.startsWith(`${place}/`);

/** @type {import('eslint').Rule.RuleModule} */
export const layers = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      unknown: '{{from}} is not a folder that scripts/lint/layers.mjs knows: add what it may import to that file.',
      layer: '{{from}} must not import {{to}} ({{source}}); it may import: {{may}}.',
      package: '{{from}} must not import the package {{source}}; only these may: {{may}}.',
    },
  },
  create(context) {
    const file = path.relative(path.join(context.cwd, 'src'), context.filename).split(path.sep).join('/');
    if (file.startsWith('..')) return {};
    const isTest = /\.test\.tsx?$/.test(file) || liesIn(file, 'testing');
    const from = folderOf(file);
    const may = RULES[from];

    /** @type {(node: import('./imports.mjs').Node, source: string, may: readonly string[]) => void} */
    function checkModule(node, source, may) {
      const target = path.posix.join(path.posix.dirname(file), source);
      const to = target.startsWith('..') ? target : folderOf(target);
      if (to === from || may.includes(to)) return;
      context.report({ node, messageId: 'layer', data: { from, to, source, may: may.join(', ') || 'nothing' } });
    }

    /** @type {(node: import('./imports.mjs').Node, source: string) => void} */
    function checkPackage(node, source) {
      const known = PACKAGES.find(({ name }) => name.test(source));
      if (known === undefined || known.places.some((place) => liesIn(file, place))) return;
      if (isTest && known.inTests) return;
      context.report({ node, messageId: 'package', data: { from: file, source, may: known.places.join(', ') } });
    }

    return {
      Program: (node) => {
        if (!isTest && may === undefined) context.report({ node, messageId: 'unknown', data: { from: from || file } });
      },
      ...eachImport((node, source) => {
        if (!source.startsWith('.')) checkPackage(node, source);
        else if (!isTest && may !== undefined) checkModule(node, source, may);
      }),
    };
  },
};
