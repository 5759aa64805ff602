// A download that a reload, a crash or a pause has cut off. It is offered here if the model's card does not show it.

import { useHubStore } from '../../store/setup/hub';
import { goOnWithDownload } from '../../store/setup/hub-choice';
import { useSourcesStore } from '../../store/setup/sources';
import { formatBytes } from '../format';

export function UnfinishedDownload() {
  const models = useHubStore((state) => state.models);
  const download = useHubStore((state) => state.download);
  const elsewhere = useSourcesStore((state) => state.modelKind !== 'hub');
  const left = models?.find(({ whole }) => !whole);
  // A download of this visit is still where the person left it.
  if (!left || !elsewhere || download) return null;
  return (
    <section className="card" aria-label="Unfinished download">
      <h2>An unfinished download</h2>
      <p>
        {formatBytes(left.bytes)} of {formatBytes(left.total)} of {left.model.repo} are on this device.
      </p>
      <div className="buttons">
        <button type="button" className="button primary" onClick={() => goOnWithDownload(left.model)}>
          Continue download
        </button>
      </div>
      <p className="note">To remove it, choose Hub under Model.</p>
    </section>
  );
}
