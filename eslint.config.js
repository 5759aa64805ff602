// @ts-check
// Lint rules that need no types: the recommended ones, React's rules of hooks, and the house rules of this project.
// scripts/lint.test.ts shows that the house rules bite. Rules that need types are in .oxlintrc.json.

import js from '@eslint/js';
import reactHooks from 'eslint-plugin-react-hooks';
import { defineConfig } from 'eslint/config';
import tseslint from 'typescript-eslint';
import { circles } from './scripts/lint/circles.mjs';
import { layers } from './scripts/lint/layers.mjs';

const TESTS = ['**/*.test.ts', '**/*.test.tsx', 'src/testing/**', 'e2e/**'];
const PURE = [
  'src/base/**',
  'src/dispatch/**',
  'src/shaders/**',
  'src/model/**',
  'src/data/**',
  'src/config/**',
  'src/lisa/{schedule,importance,samplers}*',
  'src/plan/**',
];

const CREATE_BUFFER = {
  selector: ':matches(CallExpression, NewExpression)[callee.property.name="createBuffer"]',
  message: 'Only src/gpu/allocator.ts creates buffers: every byte on the GPU is in its ledger.',
};
const RAW_HTML = [
  { selector: 'JSXAttribute[name.name="dangerouslySetInnerHTML"]', message: 'Text from a model or a file must never become HTML.' },
  { selector: 'Property[key.name="dangerouslySetInnerHTML"]', message: 'Text from a model or a file must never become HTML.' },
  {
    selector:
      'AssignmentExpression[left.property.name=/^(innerHTML|outerHTML)$/], CallExpression[callee.property.name="insertAdjacentHTML"]',
    message: 'Text from a model or a file must never become HTML.',
  },
];
const GPU_CONSTANTS = ['GPUBufferUsage', 'GPUMapMode', 'GPUShaderStage', 'GPUTextureUsage'];
const BROWSER = [
  'document',
  'window',
  'self',
  'navigator',
  'location',
  'localStorage',
  'sessionStorage',
  'indexedDB',
  'caches',
  'fetch',
  'Worker',
];
const NODE = ['process', 'Buffer', 'global', '__dirname', '__filename', 'require'];
const CLOCK_AND_CHANCE = [
  { object: 'Math', property: 'random', message: 'A run must be reproducible: use the seeded generator (src/base/random.ts).' },
];

export default defineConfig(
  {
    ignores: [
      'dist/',
      'dist-node/',
      '*.tmp/',
      'runs/',
      'test-results/',
      'playwright-report/',
      'coverage/',
      'public/',
      'bench/peers/',
      'tools/base-model/',
      'tools/oracle/',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  tseslint.configs.recommended,
  {
    plugins: { project: { rules: { layers, circles } } },
    rules: {
      eqeqeq: 'error',
      'no-console': 'error',
      'no-eval': 'error',
      'no-new-func': 'error',
      'no-param-reassign': 'off',
      'object-shorthand': 'error',
      'prefer-const': 'error',
      // TypeScript sees undefined names and knows the platform.
      'no-undef': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'separate-type-imports', disallowTypeAnnotations: false }],
      '@typescript-eslint/no-import-type-side-effects': 'error',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_', ignoreRestSiblings: true }],
    },
  },
  {
    files: ['src/**/*.{ts,tsx}'],
    rules: {
      'project/layers': 'error',
      'project/circles': 'error',
      'no-restricted-syntax': ['error', CREATE_BUFFER, ...RAW_HTML],
      'no-restricted-properties': ['error', ...CLOCK_AND_CHANCE],
    },
  },
  { files: ['src/gpu/allocator.ts'], rules: { 'no-restricted-syntax': ['error', ...RAW_HTML] } },
  {
    files: PURE,
    ignores: TESTS,
    rules: {
      'no-restricted-globals': [
        'error',
        ...[...GPU_CONSTANTS, ...BROWSER, ...NODE].map((name) => ({
          name,
          message: 'This part of the program is pure: no GPU, no DOM, no Node.',
        })),
      ],
      'no-restricted-properties': [
        'error',
        ...CLOCK_AND_CHANCE,
        { object: 'Date', property: 'now', message: 'This part of the program is pure: pass the time in.' },
        { object: 'performance', property: 'now', message: 'This part of the program is pure: pass the time in.' },
      ],
    },
  },
  { files: ['src/ui/**/*.{ts,tsx}'], ...reactHooks.configs.flat['recommended-latest'] },
  { files: ['src/cli/**', 'scripts/**', 'tools/**', ...TESTS], rules: { 'no-console': 'off' } },
  // A test may draw a new seed every time, and prints it.
  { files: TESTS, rules: { 'no-restricted-properties': 'off' } },
);
