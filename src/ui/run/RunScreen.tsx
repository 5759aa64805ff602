// The run that is live in this page, or the last one: its controls, its curves, and at the end its downloads.

import { lazy } from 'react';
import { useLivePicture } from '../../store/run/picture';
import { isActive } from '../../store/run/run';
import { ActionBar } from '../ActionBar';
import type { ActionState } from '../actions';
import { Notices } from '../Notices';
import { RunView } from './RunView';

const DownloadPanel = lazy(() => import('../card/DownloadPanel').then((part) => ({ default: part.DownloadPanel })));

export default function RunScreen({ state }: { readonly state: ActionState }) {
  const picture = useLivePicture();
  return (
    <div className="stage">
      <ActionBar state={state} />
      <Notices state={state} />
      {picture && <RunView picture={picture} state={state} />}
      {picture && !isActive(picture.run) && <DownloadPanel picture={picture} state={state} />}
    </div>
  );
}
