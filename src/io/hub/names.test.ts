import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { hubNameText, isCommit, looksLikeHubName, parseHubName, parseHubUrl, parseToken } from './names';
import { AppError } from '../../base/errors';

const MIRROR = 'https://mirror.test/hf';

describe('names of models', () => {
  test.each([
    ['HuggingFaceTB/SmolLM2-135M', 'HuggingFaceTB/SmolLM2-135M', 'main'],
    [' gpt2 ', 'gpt2', 'main'],
    ['org/name@v1.0', 'org/name', 'v1.0'],
    ['org/name@refs/pr/3', 'org/name', 'refs/pr/3'],
    ['https://huggingface.co/org/name', 'org/name', 'main'],
    ['https://huggingface.co/org/name/', 'org/name', 'main'],
    ['https://huggingface.co/org/name?library=transformers#usage', 'org/name', 'main'],
    ['https://huggingface.co/org/name/tree/dev', 'org/name', 'dev'],
    ['https://huggingface.co/org/name/tree/feature%2Fx', 'org/name', 'feature/x'],
    ['https://huggingface.co/org/name/tree/refs/pr/3', 'org/name', 'refs/pr/3'],
    ['https://huggingface.co/org/name/blob/main/config.json', 'org/name', 'main'],
    ['https://huggingface.co/org/name/resolve/0123/a/b.json', 'org/name', '0123'],
    ['https://huggingface.co/gpt2/tree/main', 'gpt2', 'main'],
    ['https://hf.co/org/name', 'org/name', 'main'],
    [`${MIRROR}/org/name/tree/dev`, 'org/name', 'dev'],
  ])('%s', (text, repo, revision) => {
    expect(parseHubName(text, MIRROR)).toEqual({ repo, revision });
  });

  test.each([
    ['', 'is not a model'],
    ['org/', 'empty part'],
    ['/name', 'empty part'],
    ['org/name/more', 'more parts'],
    ['org/..', "'..'"],
    ['../../etc/passwd', 'more parts'],
    ['org/na me', '" "'],
    ['org/näme', '"ä"'],
    ['org/name\0', '"\\u0000"'],
    ['org\\name', '"\\\\"'],
    ['org/name?x=1', '"?"'],
    ['org/name.git', '.git'],
    ['org/-name', 'begins'],
    ['org/a--b', "'--'"],
    [`org/${'x'.repeat(97)}`, '96 characters'],
    ['org/name@', 'revision'],
    ['org/name@../x', 'revision'],
    ['org/name@a b', 'revision'],
    ['org/name@-x', 'revision'],
    ['org/name@a@b', 'more than one @'],
    ['https://evil.test/org/name', 'is not the hub'],
    ['https://huggingface.co.evil.test/org/name', 'is not the hub'],
    ['https://huggingface.co@evil.test/org/name', 'name or password'],
    ['http://huggingface.co/org/name', 'is not the hub'],
    ['https://huggingface.co/datasets/org/name', 'is not the page of a model'],
    ['https://huggingface.co/org/name/tree', 'names no revision'],
    ['https://huggingface.co/org/%ff', 'cannot be decoded'],
    ['https://huggingface.co/org/..%2fx', 'more parts'],
    ['https://mirror.test/other/org/name', 'outside'],
    ['javascript:alert(1)', 'is not the hub'],
    ['file:///etc/passwd', 'is not the hub'],
    ['//evil.test/org/name', 'is not an address'],
  ])('refuses %j: %s', (text, why) => {
    expect(() => parseHubName(text, MIRROR)).toThrow(why);
    expect(() => parseHubName(text, MIRROR)).toThrow(AppError);
  });

  test('anything else is refused or safe in a path and as a folder, and says what it is', () => {
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('a', 'Z', '0', '/', '.', '-', '@', '%', '2', 'e', '\\', ':', '?', '#', ' ') }),
      fc.webUrl({ withFragments: true, withQueryParameters: true }),
    );
    fc.assert(
      fc.property(texts, (text) => {
        let name;
        try {
          name = parseHubName(text);
        } catch (thrown) {
          expect(thrown).toMatchObject({ code: 'HUB_NAME', remedy: expect.stringMatching(/./) as string });
          return;
        }
        expect(name.repo).toMatch(/^[A-Za-z0-9_][\w.-]*(\/[A-Za-z0-9_][\w.-]*)?$/);
        expect(new URL(`https://h.test/${name.repo}/x`).pathname).toBe(`/${name.repo}/x`);
        expect(parseHubName(hubNameText(name))).toEqual(name);
      }),
      { numRuns: 1000 },
    );
  });

  test('are told from folders', () => {
    expect(['org/name', 'org/name@v1', 'https://huggingface.co/org/name'].map(looksLikeHubName)).toEqual([true, true, true]);
    expect(['./model', '/tmp/model', 'a/b/c', 'model', '../x', 'org/name/'].map(looksLikeHubName)).toEqual(Array(6).fill(false));
  });

  test('a commit is 40 digits', () => {
    expect([isCommit('a'.repeat(40)), isCommit('a'.repeat(39)), isCommit('g'.repeat(40)), isCommit('main')]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});

describe('addresses and tokens', () => {
  test('an address loses its slash', () => {
    expect(parseHubUrl(' https://hf-mirror.test/ ')).toBe('https://hf-mirror.test');
    expect(parseHubUrl('https://host.test/api/hub/')).toBe('https://host.test/api/hub');
    expect(parseHubUrl('http://127.0.0.1:8080')).toBe('http://127.0.0.1:8080');
  });

  test.each([
    '',
    'huggingface.co',
    'ftp://a.test',
    'http://mirror.test',
    'https://u:p@a.test',
    'https://a.test?x',
    'https://a.test#x',
    'file:///x',
  ])('refuses %j', (text) => expect(() => parseHubUrl(text)).toThrow(AppError));

  test('a token that cannot be a header is refused without being shown', () => {
    expect([parseToken(undefined), parseToken('  '), parseToken(' hf_x ')]).toEqual([null, null, 'hf_x']);
    for (const token of ['hf_secret\nX: y', 'hf_sécret', 'hf_ secret']) {
      expect(() => parseToken(token)).toThrow(AppError);
      expect(() => parseToken(token)).not.toThrow(/hf_/);
    }
  });
});
