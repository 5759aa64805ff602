// Against jinja2 itself: tools/jinja/make_fixtures.py wrote what it makes of 80 templates times 600 chats, and of some thousand small
// templates. npm test compares a part of the chats; LISA_SLOW compares all.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../../testing/tokenizers';
import { Template, TemplateError } from './template';

const TODAY = new Date(Date.UTC(2024, 6, 26));
const fixture = (name: string): unknown => JSON.parse(readFileSync(join(ROOT, 'tools/jinja/fixtures', name), 'utf8')) as unknown;

/** The output, or why there is none. */
function rendered(template: Template | TemplateError, names: Readonly<Record<string, unknown>>): string | TemplateError {
  if (template instanceof TemplateError) return template;
  try {
    return template.render({ tools: null, documents: null, bos_token: '<s>', eos_token: '</s>', ...names }, TODAY);
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
}

function parsed(source: string): Template | TemplateError {
  try {
    return new Template(source);
  } catch (error) {
    if (error instanceof TemplateError) return error;
    throw error;
  }
}

const all = process.env.LISA_SLOW !== undefined;
test(`chat templates: ${all ? 'all' : 'every eighth'} of 48,000 renderings are jinja2's`, () => {
  const chats = fixture('chats.json') as Record<string, unknown>[];
  const templates = fixture('templates.json') as { name: string; template: string; hashes: string }[];
  const wrong: string[] = [];
  let compared = 0;
  for (const [t, { name, template, hashes }] of templates.entries()) {
    const own = parsed(template);
    for (let i = all ? 0 : t % 8; i < chats.length; i += all ? 1 : 8) {
      const text = rendered(own, chats[i]);
      const hash = typeof text === 'string' ? createHash('sha1').update(text.toWellFormed()).digest('hex').slice(0, 6) : '!!!!!!';
      compared++;
      if (hash !== hashes.slice(6 * i, 6 * i + 6))
        wrong.push(`${name}, chat ${i}: ${typeof text === 'string' ? text.slice(0, 200) : text.message}`);
    }
  }
  console.log(`jinja: ${compared} renderings of ${templates.length} templates, ${wrong.length} different`);
  expect(wrong.slice(0, 10)).toEqual([]);
});

test('small templates, one construct each, are as jinja2 has them, or the construct is named', () => {
  const { messages, cases } = fixture('expressions.json') as { messages: unknown; cases: { template: string; right: string | null }[] };
  const [silent, refused]: string[][] = [[], []];
  for (const { template, right } of cases) {
    const got = rendered(parsed(template), { messages });
    if (typeof got === 'string' ? got !== right : right !== null) {
      if (typeof got === 'string') silent.push(`${template}: ${JSON.stringify(got)}, jinja2 ${JSON.stringify(right)}`);
      else refused.push(`${template}: ${got.message} (jinja2: ${JSON.stringify(right)})`);
    }
  }
  console.log(`jinja: ${cases.length} small templates, ${silent.length} different, ${refused.length} refused here alone`);
  expect(silent.slice(0, 200)).toEqual([]);
  for (const line of refused) expect(line).toMatch(/not supported/);
  expect(refused.length).toBeLessThan(50);
});

describe('a template is a program from a stranger', () => {
  test.each([
    ['endless steps', '{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}', /steps/],
    [
      'a text that doubles',
      "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}",
      /characters/,
    ],
    ['a repeated text', "{{ 'abc' * 999999999 }}", /characters/],
    ['a wide field', "{{ '%999999999d' % 1 }}", /characters/],
    ['a wide format', "{{ '{:999999999}'.format(1) }}", /characters/],
    [
      'a list that doubles',
      '{% set ns = namespace(x=[1]) %}{% for i in range(60) %}{% set ns.x = ns.x + ns.x %}{% endfor %}',
      /characters/,
    ],
    ['padding', "{{ 'a'.center(999999999) }}", /characters/],
    ['a macro that calls itself', '{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}', /deep/],
    [
      'a list within itself',
      '{% set ns = namespace(x=[]) %}{% for i in range(5000) %}{% set ns.x = [ns.x] %}{% endfor %}{{ ns.x }}',
      /deep/,
    ],
    ['brackets', `{{ ${'('.repeat(5000)}1${')'.repeat(5000)} }}`, /deep/],
    ['operators', `{{ ${'not '.repeat(5000)}1 }}`, /deep/],
    ['blocks', '{% if true %}'.repeat(5000) + '{% endif %}'.repeat(5000), /deep/],
    ['replacements', "{% set a = 'a' * 100000 %}{{ a.replace('a', a) }}", /characters/],
  ])('%s', (_, source, reason) => {
    const began = performance.now();
    const got = rendered(parsed(source), { messages: [] });
    expect(got).toBeInstanceOf(TemplateError);
    expect((got as TemplateError).message).toMatch(reason);
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});
