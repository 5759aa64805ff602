// A data file may be dropped anywhere on the set-up. While one is dragged over the page, the page says so.

import { useEffect, useState } from 'react';
import { droppedFile, type Dropped } from './dropped-file';

const hasFiles = (event: DragEvent): boolean => event.dataTransfer?.types.includes('Files') ?? false;

function read({ files, items }: DataTransfer): Dropped | null {
  const folders = [...items].flatMap((item) => {
    const entry = item.webkitGetAsEntry();
    return entry?.isDirectory ? [entry.name] : [];
  });
  return droppedFile([...files], folders);
}

export function DropTarget({ onDrop }: { readonly onDrop: (dropped: Dropped) => void }) {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const drag = (event: DragEvent): void => {
      if (!hasFiles(event) || !event.dataTransfer) return;
      // Without this the browser would open the file in place of the page.
      event.preventDefault();
      event.dataTransfer.dropEffect = 'copy';
      setOver(true);
    };
    const leave = (event: DragEvent): void => {
      if (event.relatedTarget === null) setOver(false);
    };
    const drop = (event: DragEvent): void => {
      if (!hasFiles(event) || !event.dataTransfer) return;
      event.preventDefault();
      setOver(false);
      const dropped = read(event.dataTransfer);
      if (dropped) onDrop(dropped);
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
          <strong>Drop a data file</strong>
          <span>.jsonl, .csv or .txt; it is read in place and sent nowhere</span>
        </p>
      </div>
    )
  );
}
