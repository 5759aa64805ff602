// A run, live or ended: its numbers, the loss with the layer raster under it, memory, samples. Everything here
// comes from the run's own configuration and events.

import type { RunPicture } from '../../store/picture';
import type { ActionState } from '../actions';
import { Curves } from './Curves';
import { Facts } from './Facts';
import { MemoryPanel } from './MemoryPanel';
import { Outcome } from './Outcome';
import { Samples } from './Samples';

interface RunViewProps {
  readonly picture: RunPicture;
  readonly state: ActionState;
}

export function RunView({ picture, state }: RunViewProps) {
  return (
    <>
      {picture.kind === 'live' && <Outcome run={picture.run} state={state} />}
      <Facts picture={picture} />
      <Curves picture={picture} />
      <MemoryPanel picture={picture} />
      <Samples run={picture.run} />
    </>
  );
}
