// A run, live, past or recorded: its numbers, the loss with the layer raster below it, the stack and its current memory,
// samples, settings. Everything here comes from the run's own configuration and events.

import type { RunPicture } from '../../store/run/picture';
import { isActive } from '../../store/run/run';
import type { ActionState } from '../actions';
import { Curves } from './Curves';
import { EventLog } from './EventLog';
import { Facts } from './Facts';
import { ImportanceNow } from './ImportanceNow';
import { MemoryNow } from './MemoryNow';
import { MemoryPanel } from './MemoryPanel';
import { Outcome } from './Outcome';
import { ProveIt } from './ProveIt';
import { RunSettings } from './RunSettings';
import { Samples } from './Samples';
import { StackNow } from './StackNow';
import { Starting } from './Starting';
import { WhileTraining } from './WhileTraining';
import '../styles/run.css';
import '../styles/stack.css';

interface RunViewProps {
  readonly picture: RunPicture;
  readonly state: ActionState;
}

export function RunView({ picture, state }: RunViewProps) {
  const { run, kind } = picture;
  const live = kind === 'live';
  // What would be pushed down when the charts appear comes with them.
  const settled = run.prepared !== null || !isActive(run);
  return (
    <div className="run">
      <div className="run-curves">
        {live && <Outcome picture={picture} state={state} />}
        {!(live && run.phase === 'done') && <Facts picture={picture} />}
        {run.prepared ? <Curves picture={picture} /> : <Starting run={run} />}
      </div>
      <div className="run-side">
        <div className="run-now">
          <StackNow picture={picture} state={state} />
          <MemoryNow picture={picture} />
          <ImportanceNow picture={picture} />
        </div>
        {settled && (
          <div className="run-about">
            <RunSettings run={run} />
            {live && <EventLog runId={run.runId} />}
            {live && isActive(run) && <WhileTraining />}
          </div>
        )}
      </div>
      {settled && (
        <div className="run-more">
          {live && <ProveIt run={run} />}
          <MemoryPanel picture={picture} />
          <Samples run={run} />
        </div>
      )}
    </div>
  );
}
