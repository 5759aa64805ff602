// Asks for the local folder of a model again, because a page may not keep it.

import { useState } from 'react';

interface FolderAgainProps {
  readonly name: string;
  readonly ready: boolean;
  /** What it is needed for: 'to resume'. */
  readonly what: string;
  readonly onFiles: (files: readonly File[]) => void;
}

const folderOf = (files: readonly File[]): string => files[0]?.webkitRelativePath.split('/')[0] ?? '';

export function FolderAgain({ name, ready, what, onFiles }: FolderAgainProps) {
  const [other, setOther] = useState<readonly File[] | null>(null);
  return (
    <>
      <p>
        Its base model is in the folder “{name}” on this machine. Choose that folder again {what}.
      </p>
      <label className="file">
        <input
          type="file"
          disabled={!ready}
          aria-label={`Choose the folder ${name} again`}
          // React has no name for this attribute, but every browser reads it.
          ref={(input) => input?.setAttribute('webkitdirectory', '')}
          onChange={({ target }) => {
            // Files of subfolders are not part of a model.
            const files = [...(target.files ?? [])].filter((file) => file.webkitRelativePath.split('/').length <= 2);
            if (files.length === 0) return;
            if (folderOf(files) === name) onFiles(files);
            else setOther(files);
          }}
        />
        <span className="button primary">Choose the folder…</span>
      </label>
      {other && (
        <p className="note">
          That folder is called “{folderOf(other)}”.{' '}
          <button type="button" className="button" disabled={!ready} onClick={() => onFiles(other)}>
            Use it anyway
          </button>{' '}
          If its weights differ, the page says so and stops.
        </p>
      )}
    </>
  );
}
