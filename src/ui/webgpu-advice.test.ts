import { expect, it } from 'vitest';
import { webgpuAdvice } from './webgpu-advice';

const chrome = (system: string): string => `Mozilla/5.0 (${system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Safari/537.36`;
const firefox = (system: string): string => `Mozilla/5.0 (${system}; rv:140.0) Gecko/20100101 Firefox/140.0`;

it.each([
  [chrome('X11; Linux x86_64'), /chrome:\/\/flags/],
  [chrome('Linux; Android 14; Pixel 8'), /Android 12/],
  [chrome('Windows NT 10.0'), /chrome:\/\/settings/],
  [`${chrome('Windows NT 10.0')} Edg/140.0`, /edge:/],
  ['Mozilla/5.0 (Macintosh) Version/18.0 Safari/605', /Safari 26/],
  ['Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 CriOS/140.0 Safari/604.1', /iOS or iPadOS 26/],
  [firefox('Windows NT 10.0; Win64; x64'), /Firefox to version 141/],
  [firefox('Macintosh; Intel Mac OS X 10.15'), /version 147.*Intel/],
  [firefox('X11; Linux x86_64'), /Nightly/],
  [firefox('Android 14; Mobile'), /Firefox for Android/],
])('gives each browser its own step: %s', (userAgent, step) => {
  expect(webgpuAdvice(userAgent, true)).toMatch(step);
  expect(webgpuAdvice(userAgent, false)).toMatch(/https/);
});
