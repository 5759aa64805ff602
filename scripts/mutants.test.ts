// The rules that plant faults change what they should, and nothing in comments, strings, types or imports; the choice
// depends on the seed and the code, and not on where the code is; and the tests of a file are those that import it.

import { describe, expect, test } from 'vitest';
import { byFolder, choose, isSource, mutantsOf, plant } from './mutants/choose.mjs';
import { importGraph, inOrder, specifiers, testsOf } from './mutants/imports.mjs';
import { typescriptSites } from './mutants/rules-ts.mjs';
import { wgslSites } from './mutants/rules-wgsl.mjs';

/** Every faulty version of a text, with its rule. */
function faults(text: string, fileName: string): string[] {
  const sites = fileName.endsWith('.wgsl') ? wgslSites(text) : typescriptSites(text, fileName);
  return sites.map(({ rule, start, end, replacement }) => `${rule}: ${plant(text, { start, end, after: replacement })}`);
}

describe('TypeScript', () => {
  test.each([
    ['a < b;', ['bound: a <= b;']],
    ['a >= b;', ['bound: a > b;']],
    ['a === b;', ['equality: a !== b;']],
    ['a * b - c;', ['arithmetic: a / b - c;', 'arithmetic: a * b + c;']],
    ['a += b;', ['assignment: a -= b;']],
    ['a && b;', ['logic: a || b;']],
    ['if (a) b();', ['negation: if (!(a)) b();']],
    ['a ? b : c;', ['negation: !(a) ? b : c;']],
    ['list[i];', ['index: list[i + 1];']],
    ['list[i - j];', ['index: list[i - j + 1];', 'arithmetic: list[i + j];']],
    ['put(from, to.end, x);', ['arguments: put(to.end, from, x);']],
    ['Math.min(a, b);', ['min and max: Math.max(a, b);']],
    ['await save();', ['await: save();']],
    ['f(0, 1);', ['arguments: f(1, 0);', 'constant: f(1, 1);', 'constant: f(0, 0);']],
    ['const x = 1_000;', ['constant: const x = 1001;']],
    ['`${a - b} - c`;', ['arithmetic: `${a + b} - c`;']],
  ])('%s', (text, expected) => {
    expect(faults(text, 'x.ts').sort()).toEqual(expected.sort());
  });

  test.each([
    ['comments', '// a < b + 1\n/* a && b */\n/** 3 */'],
    ['texts', `const text = 'a < 1' + "b && c" + \`d - 2\`; text += 'x';`],
    ['types', 'type A = B[0] | 1;\ninterface C { d: 2 }\nlet e: F<3>;\nlet g = h as 4;'],
    ['type arguments', 'new Map<string, 1 | 2>();'],
    ['imports', `import { a } from './b1';\nimport type { c } from './d';\nexport * from './e2';`],
    ['keys of records', 'const table = { 1: a }; table[name];'],
    ['awaits whose value is used: the types miss them', 'const a = await b();'],
    ['calls of one argument, or of functions and texts', `f(a); g('a', 'b'); h(() => a, b);`],
  ])('leaves %s alone', (_, text) => {
    expect(faults(text, 'x.ts')).toEqual([]);
  });

  test('reads JSX, and leaves its text alone', () => {
    expect(faults('const a = <p title="1 < 2">3 - 4 {b > c}</p>;', 'x.tsx')).toEqual([
      'bound: const a = <p title="1 < 2">3 - 4 {b >= c}</p>;',
    ]);
  });
});

describe('WGSL', () => {
  test.each([
    ['if (row >= rows) { }', ['bound: if (row > rows) { }', 'negation: if (!(row >= rows)) { }']],
    ['y += a * b;', ['assignment: y -= a * b;', 'arithmetic: y += a / b;']],
    ['let y = x[row + k];', ['index: let y = x[(row + k) + 1];', 'arithmetic: let y = x[row - k];']],
    ['let y = x[0];', ['constant: let y = x[1];']],
    ['let y = 4u;', ['constant: let y = 5u;']],
    ['let y = min(a, b);', ['min and max: let y = max(a, b);']],
    ['store(row, col, y);', ['arguments: store(col, row, y);']],
    ['let y = a && b;', ['logic: let y = a || b;']],
  ])('%s', (text, expected) => {
    expect(faults(text, 'x.wgsl').sort()).toEqual(expected.sort());
  });

  test.each([
    ['comments', '// a < b + 1\n/* a && b */ let c = d;'],
    ['attributes', '@compute @workgroup_size(64, 1) @binding(2) fn main() { }'],
    ['arguments of types', 'var<workgroup> tile: array<vec4<f32>, 64>; let a = bitcast<u32>(b);'],
    ['results and signs', 'fn f(a: f32, b: f32) -> f32 { return -a; } let c = -d;'],
    ['declarations', 'fn f(row: u32, col: u32) { }'],
    ['fractions', 'let a = 0.5;'],
  ])('leaves %s alone', (_, text) => {
    expect(faults(text, 'x.wgsl')).toEqual([]);
  });
});

describe('the choice', () => {
  const text = `${Array.from({ length: 20 }, (_, i) => `let x${i} = a + ${2 * i};`).join('\n')}\nawait f();\nif (a) g(b < c);\n`;
  const lines = (mutants: { before: string; rule: string }[]): string[] => mutants.map(({ before, rule }) => `${rule} ${before}`);

  test('is the same after the code moved to another folder and further down, and another with another seed', () => {
    const before = choose(mutantsOf('src/a', 'src/a/x.ts', text, '1'), 4);
    const after = choose(mutantsOf('src/b/c', 'src/b/c/x.ts', `// moved\n\n${text}`, '1'), 4);
    expect(after.map(({ line, start, before, rule }) => ({ line: line - 2, start: start - 10, before, rule }))).toEqual(
      before.map(({ line, start, before, rule }) => ({ line, start, before, rule })),
    );
    const others = ['2', '3', '4'].map((seed) => lines(choose(mutantsOf('src/a', 'src/a/x.ts', text, seed), 4)));
    expect(others).not.toContainEqual(lines(before));
  });

  test('has as many rules as there are', () => {
    const all = mutantsOf('src/a', 'src/a/x.ts', text, '1');
    const rules = new Set(all.map(({ rule }) => rule));
    expect(rules).toEqual(new Set(['arithmetic', 'constant', 'await', 'negation', 'bound']));
    expect(new Set(choose(all, 5).map(({ rule }) => rule))).toEqual(rules);
    expect(choose(all, 7)).toHaveLength(7);
    expect(new Set(choose(all, 1000))).toEqual(new Set(all));
  });

  test('gives every rule the same chance, however many sites it has', () => {
    const first = Array.from({ length: 150 }, (_, seed) => choose(mutantsOf('src/a', 'src/a/x.ts', text, String(seed)), 1)[0].rule);
    for (const rule of ['arithmetic', 'constant', 'await', 'negation', 'bound']) {
      const times = first.filter((one) => one === rule).length;
      expect(times, rule).toBeGreaterThan(12);
      expect(times, rule).toBeLessThan(55);
    }
  });

  test('takes the program alone, and small folders with the one above', () => {
    const files = ['a/1.ts', 'a/2.wgsl', 'a/3.tsx', 'a/4.ts', 'a/small/5.ts', 'a/small/deep/6.ts', 'b/7.ts', '8.ts'].map(
      (file) => `src/${file}`,
    );
    expect(Object.fromEntries(byFolder(files))).toEqual({
      src: ['src/8.ts', 'src/b/7.ts'],
      'src/a': ['src/a/1.ts', 'src/a/2.wgsl', 'src/a/3.tsx', 'src/a/4.ts', 'src/a/small/5.ts', 'src/a/small/deep/6.ts'],
    });
    const none = ['a.test.ts', 'a.gpu.test.ts', 'a.ref.ts', 'a.fixture.ts', 'testing/a.ts', 'data/fixtures/a.ts', 'a.css', 'a.d.ts'];
    expect(none.filter((file) => isSource(`src/${file}`))).toEqual([]);
    expect(files.filter(isSource)).toEqual(files);
  });
});

describe('the tests of a file', () => {
  const texts = new Map([
    ['src/a/x.ts', `import wgsl from './x.wgsl?raw';\nimport type { Y } from '../b/y';`],
    ['src/a/x.wgsl', ''],
    ['src/a/x.test.ts', `import { x } from './x';`],
    ['src/b/y.ts', `export { x } from '../a/x';`],
    ['src/b/y.test.ts', `import {\n  y,\n} from './y';`],
    ['src/b/z.test.ts', `test('z', async () => { await import('./y'); });`],
    ['src/cli/tune.ts', `import { y } from '../b/y';`],
    ['src/cli/tune.test.ts', `spawn('node', ['scripts/run-node.mjs', 'tune']);`],
    ['scripts/other.test.ts', `import { run } from './run.mjs';`],
    ['scripts/run.mjs', `import path from 'node:path';`],
  ]);
  const imports = importGraph(texts);

  test('are those that import it, over other files too, and as text', () => {
    expect(Object.fromEntries(testsOf('src/a/x.wgsl', imports))).toEqual({
      'src/a/x.test.ts': 2,
      'src/b/y.test.ts': 3,
      'src/b/z.test.ts': 3,
      'src/cli/tune.test.ts': 4,
    });
    expect([...testsOf('src/b/y.ts', imports).keys()].sort()).toEqual(['src/b/y.test.ts', 'src/b/z.test.ts', 'src/cli/tune.test.ts']);
    expect([...testsOf('scripts/run.mjs', imports).keys()]).toEqual(['scripts/other.test.ts']);
  });

  test('come in the order of folder, cost and distance', () => {
    const seconds = new Map([['src/b/y.test.ts', 10]]);
    const order = inOrder('src/a/x.wgsl', testsOf('src/a/x.wgsl', imports), (file) => seconds.get(file) ?? 1);
    expect(order).toEqual(['src/a/x.test.ts', 'src/b/z.test.ts', 'src/cli/tune.test.ts', 'src/b/y.test.ts']);
  });

  test('imports of types and of comments are none', () => {
    expect(specifiers(`import type { A } from './a';\n// import './b';\n/** import('./c') */\nimport './d';`)).toEqual(['./d']);
  });
});
