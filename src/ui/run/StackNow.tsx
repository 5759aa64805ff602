// The model as a building seen from the front: floors that train are lit, with their two tanks of optimizer state full. An
// arrow shows how far down the backward pass goes, and a ring when the next layers are drawn. stack-model.ts computes all of
// this.

import { useMemo, type CSSProperties } from 'react';
import type { RunPicture } from '../../store/run/picture';
import type { ActionState } from '../actions';
import { formatList } from '../format';
import { Panel } from '../widgets/Panel';
import { Proof } from './Proof';
import { countdown, stackOf, stackSentences, type Draw, type Floor, type Stack, type Trains } from './stack-model';

interface StackNowProps {
  readonly picture: RunPicture;
  /** Only a live run can give a proof. */
  readonly state: ActionState;
}

export function StackNow({ picture, state }: StackNowProps) {
  const { run, metrics, kind } = picture;
  const { prepared } = run;
  if (!prepared) {
    return (
      <Panel title="Stack now" className="stack-panel waiting">
        <p className="note">Appears as soon as the model’s layers are known.</p>
      </Panel>
    );
  }
  const stack = stackOf(run, prepared, metrics.periods);
  const sentences = stackSentences(stack);
  return (
    <Panel title={stack.moment === 'last' ? 'Stack at the end' : 'Stack now'} className="stack-panel">
      {stack.draw && <Countdown draw={stack.draw} stack={stack} />}
      <Building stack={stack} label={sentences.join(' ')} />
      <p className="note stack-note">{sentences.at(-1)}</p>
      <Proof run={run} state={kind === 'live' ? state : null} />
    </Panel>
  );
}

/** Height of a floor: readable with a few layers, still distinguishable with many. */
const floorPx = (layers: number): number => (layers <= 12 ? 22 : layers <= 20 ? 17 : layers <= 40 ? 12 : 8);

function Building({ stack, label }: { readonly stack: Stack; readonly label: string }) {
  const layers = stack.floors.filter(({ layer }) => layer !== null).length;
  const px = floorPx(layers);
  // Thin floors have a name if there is room for it, or a reason.
  const every = px >= 17 ? 1 : px >= 12 ? 5 : 10;
  const named = ({ layer, trains }: Floor): boolean => layer === null || trains === 'drawn' || layer % every === 0;
  return (
    <div
      className="building"
      role="img"
      aria-label={label}
      style={{ '--floor': `${px}px` } as CSSProperties}
      data-thin={px < 17 || undefined}
    >
      <span className="tank-head">m</span>
      <span className="tank-head second">v</span>
      <span className="backward" style={{ gridRow: `2 / ${stack.end + 3}` }} />
      {stack.floors.map((floor, i) => (
        <FloorRow key={floor.name} floor={floor} word={stateWord(floor.trains, stack.moment)} row={i + 2} named={named(floor)} />
      ))}
    </div>
  );
}

const stateWord = (trains: Trains, moment: Stack['moment']): string =>
  ({ no: '', drawn: moment === 'last' ? 'trained' : 'trains', always: 'always', adapter: 'adapter' })[trains];

interface FloorRowProps {
  readonly floor: Floor;
  readonly word: string;
  /** Of the grid. */
  readonly row: number;
  readonly named: boolean;
}

function FloorRow({ floor, word, row, named }: FloorRowProps) {
  const { trains, title, block } = floor;
  const style = { gridRow: row };
  return (
    <>
      <div className="floor" data-trains={trains} data-floor={floor.name} style={style}>
        <span className="floor-light" />
        {named && <span className="floor-name">{title}</span>}
        <span className="floor-state">
          {word}
          {trains !== 'no' && <OpenPadlock />}
        </span>
      </div>
      {block && (
        <>
          <span className="tank" data-full={trains !== 'no'} style={style} />
          <span className="tank second" data-full={trains !== 'no'} style={style} />
        </>
      )}
    </>
  );
}

const OpenPadlock = () => (
  <svg className="padlock" viewBox="0 0 12 12" width="10" height="10">
    <path d="M2 6h8v5.5H2z" fill="currentColor" />
    <path d="M6.5 6V3.2a2.2 2.2 0 0 1 4.4 0V4" fill="none" stroke="currentColor" strokeWidth="1.4" />
  </svg>
);

const RADIUS = 19;
const AROUND = 2 * Math.PI * RADIUS;

function Countdown({ draw, stack }: { readonly draw: Draw; readonly stack: Stack }) {
  const { period, periods, layers, done, length } = draw;
  const share = length > 0 ? done / length : 0;
  const list = useMemo(() => formatList(layers), [layers]);
  return (
    <div className="countdown">
      <svg viewBox="0 0 44 44" width="44" height="44" aria-hidden="true">
        <circle className="ring" cx="22" cy="22" r={RADIUS} />
        <circle className="ring-done" cx="22" cy="22" r={RADIUS} strokeDasharray={AROUND} strokeDashoffset={AROUND * (1 - share)} />
        <text x="22" y="22" textAnchor="middle" dominantBaseline="central">
          {stack.moment === 'last' ? '' : length - done}
        </text>
      </svg>
      <div>
        <p data-countdown>{countdown(draw, stack.moment)}</p>
        <p className="note">
          Period {period + 1} of {periods}: {layers.length === 1 ? 'layer' : 'layers'} {list}
        </p>
      </div>
    </div>
  );
}
