// A data file, or a model's folder or files, may be dropped anywhere on the set-up. The page says so while something is dragged
// over it.

import { useEffect, useState } from 'react';
import { chooseModel } from '../../store/setup/local-model';
import { droppedFile } from './dropped-file';
import { filesOf } from './dropped-folder';

/** Handles a data file that came with a model; the model has been chosen by then. */
export type DroppedData = { readonly file: File } | { readonly problem: string | null };

const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;

const isFolder = (entry: FileSystemEntry | null): entry is FileSystemDirectoryEntry => entry?.isDirectory ?? false;

/** The event's contents are taken at once, because they are gone after the first await. */
async function take({ files, items }: DataTransfer): Promise<DroppedData | null> {
  const folders = [...items].map((item) => item.webkitGetAsEntry()).filter(isFolder);
  const dropped = droppedFile(
    [...files],
    folders.map(({ name }) => name),
  );
  if (!dropped || 'file' in dropped || 'problem' in dropped) return dropped;
  if ('model' in dropped) chooseModel('dropped files', dropped.model);
  else {
    try {
      chooseModel(dropped.folder, await filesOf(folders[0]));
    } catch {
      return { problem: `The browser does not let the page read the folder ${dropped.folder}. Choose it under Model.` };
    }
  }
  return { problem: null };
}

export function DropTarget({ onDrop }: { readonly onDrop: (dropped: DroppedData) => void }) {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const drag = (event: DragEvent): void => {
      if (!hasFiles(event) || !event.dataTransfer) return;
      // A part of the page that takes files itself.
      if (event.defaultPrevented) return setOver(false);
      // Without this the browser would open the file instead of the page.
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
      setOver(true);
    };
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent): void => {
      setOver(false);
      if (!hasFiles(event) || !event.dataTransfer || event.defaultPrevented) return;
      event.preventDefault();
      void take(event.dataTransfer).then((dropped) => dropped && onDrop(dropped));
    };
    addEventListener('dragenter', drag);
    addEventListener('dragover', drag);
    addEventListener('dragleave', leave);
    addEventListener('drop', drop);
    return () => {
      removeEventListener('dragenter', drag);
      removeEventListener('dragover', drag);
      removeEventListener('dragleave', leave);
      removeEventListener('drop', drop);
    };
  }, [onDrop]);
  return (
    over && (
      <div className="drop-target" aria-hidden="true">
        <p>
          <strong>Drop a data file, or a model’s folder</strong>
          <span>.jsonl, .csv or .txt, or config.json with its weights. Files are read in place and never uploaded.</span>
        </p>
      </div>
    )
  );
}
