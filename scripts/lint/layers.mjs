// @ts-check
// The lint rule that holds the parts of src/ in order: every file belongs to one layer, and a layer may import only from
// the layers listed for it. What a layer may import as types alone is listed apart: types are gone in the built program.

import path from 'node:path';

/** The parts of src/, lowest first, and which of the parts below each may import from. Types count like values. */
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
  io: ['base', 'dispatch', 'model', 'data'],
  engine: ['base', 'dispatch', 'shaders', 'model', 'data', 'config', 'lisa', 'plan', 'gpu', 'io'],
  train: ['base', 'dispatch', 'shaders', 'model', 'data', 'config', 'lisa', 'plan', 'gpu', 'io', 'engine'],
  export: ['base', 'dispatch', 'model', 'data', 'config', 'plan', 'io', 'engine', 'train'],
  worker: ['base', 'dispatch', 'model', 'data', 'config', 'lisa', 'plan', 'gpu', 'io', 'engine', 'train', 'export'],
  store: ['base', 'dispatch', 'model', 'data', 'config', 'lisa', 'plan', 'io', 'train', 'export', 'worker'],
  ui: ['base', 'dispatch', 'model', 'data', 'config', 'lisa', 'plan', 'io', 'train', 'export', 'worker', 'store'],
  cli: ['base', 'dispatch', 'shaders', 'model', 'data', 'config', 'lisa', 'plan', 'gpu', 'io', 'engine', 'train', 'export'],
});

/** Packages that only some layers may import; the first name that fits decides, any other package is free. */
const PACKAGES = [
  { name: /^webgpu$/, layers: ['gpu in Node'], inTests: false },
  { name: /^node:/, layers: ['io in Node', 'cli', 'testing'], inTests: true },
  { name: /^react-dom(\/|$)/, layers: ['ui'], inTests: true },
  { name: /^(react|zustand)(\/|$)/, layers: ['store', 'ui'], inTests: true },
  { name: /^@huggingface\//, layers: ['data'], inTests: true },
];

/** @param {string} module path below src/ without extension */
function layerOf(module) {
  const fits = (/** @type {string} */ pattern) => (pattern.endsWith('*') ? module.startsWith(pattern.slice(0, -1)) : module === pattern);
  return LAYERS.find(([, patterns]) => patterns.some(fits))?.[0];
}

/** @typedef {import('estree').ModuleDeclaration & { importKind?: string, exportKind?: string }} Statement */

/** @type {import('eslint').Rule.RuleModule} */
export const layers = {
  meta: {
    type: 'problem',
    schema: [],
    messages: {
      layer: '{{from}} must not import {{to}} ({{source}}); it may import: {{may}}.',
      typesOnly: '{{from}} may import only types from {{to}} ({{source}}): write `import type`.',
      package: '{{from}} must not import the package {{source}}; only these may: {{may}}.',
    },
  },
  create(context) {
    const file = path.relative(path.join(context.cwd, 'src'), context.filename).split(path.sep).join('/');
    const from = layerOf(file.replace(/\.\w+$/, ''));
    if (file.startsWith('..') || from === undefined) return {};
    const isTest = /\.(test|fixture)\.tsx?$|(^|\/)fixtures\//.test(file);
    const rule = RULES[from];

    /**
     * @param {import('estree').Node} node
     * @param {unknown} source what is imported, as written
     * @param {boolean} typesOnly
     */
    function check(node, source, typesOnly) {
      if (typeof source !== 'string') return;
      if (source.startsWith('.')) checkModule(node, source, typesOnly);
      else checkPackage(node, source, typesOnly);
    }

    /** @type {typeof check} */
    function checkModule(node, source, typesOnly) {
      const target = path.posix.join(path.posix.dirname(file), String(source).replace(/\?.*$/, ''));
      const to = layerOf(target.replace(/\.tsx?$/, ''));
      if (isTest || rule === undefined || to === undefined || to === from || rule.may.includes(to)) return;
      const asTypes = rule.types?.includes(to) === true;
      if (asTypes && typesOnly) return;
      const may = rule.may.join(', ') || 'nothing';
      context.report({ node, messageId: asTypes ? 'typesOnly' : 'layer', data: { from, to, source: String(source), may } });
    }

    /** @type {typeof check} */
    function checkPackage(node, source, typesOnly) {
      const known = PACKAGES.find(({ name }) => name.test(String(source)));
      if (known === undefined || typesOnly || known.layers.includes(from ?? '')) return;
      if (isTest && known.inTests) return;
      context.report({ node, messageId: 'package', data: { from: from ?? '', source: String(source), may: known.layers.join(', ') } });
    }

    const statement = (/** @type {Statement} */ node) => {
      if ('source' in node) check(node, node.source?.value, node.importKind === 'type' || node.exportKind === 'type');
    };
    return {
      ImportDeclaration: statement,
      ExportNamedDeclaration: statement,
      ExportAllDeclaration: statement,
      ImportExpression: (node) => check(node, 'value' in node.source ? node.source.value : undefined, false),
      // import('…').Name as a type; a TypeScript node, which ESLint's own types do not know.
      TSImportType: (/** @type {import('estree').Node & { source?: { value?: unknown } }} */ node) => check(node, node.source?.value, true),
    };
  },
};
