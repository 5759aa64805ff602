// What a link asked for and could not have: a value out of range, or no value at all.

import { isConfigKey } from '../../config/values';
import { dismissLinkNotice, useLinkStore } from '../../store/setup/url';
import { LABELS } from '../labels';

export function LinkNotice() {
  const notice = useLinkStore((state) => state.notice);
  if (!notice) return null;
  return (
    <section className="panel link-notice" role="alert">
      <p>{notice.given.length > 0 ? 'The link was taken over, but for this:' : 'Nothing of the link could be taken over:'}</p>
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
