// Files that the browser has downloaded; the links download them again.

import type { Download } from '../../store/run/download';
import { formatBytes, formatExactBytes } from '../format';

export function Saved({ download: { links, contents } }: { readonly download: Download }) {
  return (
    <p className="take-saved" title={contents.map(({ name, bytes }) => `${name}: ${formatExactBytes(bytes)}`).join('\n')}>
      Downloaded:{' '}
      {links.map((link) => (
        <a key={link.name} href={link.url} download={link.name}>
          {link.name} ({formatBytes(link.bytes)})
        </a>
      ))}
    </p>
  );
}
