// What a person without WebGPU can do in the browser they have. Versions are from gpuweb's "Implementation Status" of 8 April 2026 and
// from MDN's browser-compat-data (api/GPU); where those name no version, neither does this. Pure.

const CHROME = 'a current Chrome or Edge';

/** The one step that enables WebGPU in this browser, as far as its name shows. */
export function webgpuAdvice(userAgent: string, secureContext: boolean): string {
  if (!secureContext) return 'Browsers offer WebGPU only on https and localhost. Open this page from such an address.';
  const is = (pattern: RegExp): boolean => pattern.test(userAgent);
  // Every browser there is Safari's engine under another name.
  if (is(/iPhone|iPad|iPod/)) return 'Update to iOS or iPadOS 26: every browser on this device uses the WebGPU of the system.';
  if (is(/Firefox\//)) return firefox(is);
  if (is(/Edg\//)) return 'Update Edge, turn on graphics acceleration in edge://settings/system, and restart it.';
  if (is(/Chrome\//)) return chrome(is);
  if (is(/Safari\//)) return `Update to macOS 26 with Safari 26, or open this page in ${CHROME}.`;
  return `Open this page in ${CHROME} on a computer.`;
}

function firefox(is: (pattern: RegExp) => boolean): string {
  if (is(/Windows/)) return `Update Firefox to version 141 or later, or open this page in ${CHROME}.`;
  if (is(/Macintosh/))
    return `On a Mac with an Apple chip, update Firefox to version 147 or later. On one with an Intel chip, open this page in ${CHROME}.`;
  if (is(/Android/)) return 'Open this page in Chrome: Firefox for Android has no WebGPU yet.';
  return `Open this page in ${CHROME}: Firefox on Linux has WebGPU only in its Nightly version.`;
}

function chrome(is: (pattern: RegExp) => boolean): string {
  if (is(/Android/)) return 'Update Chrome. On Android, WebGPU needs Android 12 or later.';
  if (is(/Linux/))
    return 'Update Chrome and the graphics driver. If that is not enough, turn on chrome://flags/#enable-unsafe-webgpu and restart Chrome.';
  return 'Update Chrome, turn on graphics acceleration in chrome://settings/system, and restart it.';
}
