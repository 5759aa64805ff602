// The settings of a link that could not be loaded: a value out of range, or no value at all.

import { isConfigKey } from '../../config/run-config';
import { dismissLinkNotice, useLinkStore } from '../../store/setup/url';
import { LABELS } from '../labels';

export function LinkNotice() {
  const notice = useLinkStore((state) => state.notice);
  if (!notice) return null;
  return (
    <section className="panel link-notice" role="alert">
      <p>{notice.given.length > 0 ? 'Settings loaded from the link, except:' : 'No setting of the link could be loaded:'}</p>
      <ul>
        {notice.dropped.map(({ name, expected }, i) => (
          <li key={i}>
            <strong>{isConfigKey(name) ? LABELS[name].label : name}</strong> must be {expected}.
          </li>
        ))}
      </ul>
      <button type="button" className="button small" onClick={dismissLinkNotice}>
        Dismiss
      </button>
    </section>
  );
}
