import { expect, test } from 'vitest';
import { decodeHubLink, encodeHubLink } from './hub-link';

test('name and revision go through a link', () => {
  for (const name of [
    { repo: 'HuggingFaceTB/SmolLM2-135M', revision: 'main' },
    { repo: 'gpt2', revision: 'v1.0' },
    { repo: 'a/b', revision: 'refs/pr/1' },
  ]) {
    expect(decodeHubLink(`#seed=2&${encodeHubLink(name)}`)).toEqual(name);
  }
  expect(encodeHubLink({ repo: 'a/b', revision: 'main' })).toBe('hub=a/b');
});

test('an invalid name gives null', () => {
  for (const link of [
    '',
    '#seed=2',
    '#hub=',
    '#hub=%',
    '#hub=../x',
    '#hub=https://evil.example/a/b',
    '#hub=a/b/c',
    '#hub=a%20b',
    '#hub=a/b@..',
  ])
    expect(decodeHubLink(link)).toBeNull();
});
