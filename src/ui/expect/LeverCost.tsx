// What a lever has cost in recorded runs, said where it is chosen. Nothing where it cost no more than seeds differ.

import recorded from './recorded.json';
import { costWords } from './words';

export default function LeverCost({ lever }: { readonly lever: string }) {
  const words = costWords(recorded, lever);
  return words && <p className="note">{words}</p>;
}
