// What the guided tour shows at each step, and where. Pure.

import type { TourStep } from '../../store/tour';
import { MEMORY_PANEL, METHOD_PANEL, MODEL_PANEL, SCHEDULE_PANEL } from '../labels';

interface Stop {
  readonly title: string;
  readonly text: string;
  /** The elements that it may point at: the first that is on the page. */
  readonly targets: readonly string[];
}

export const STOPS: Readonly<Record<TourStep, Stop>> = {
  model: {
    title: 'Choose a model and data',
    text: 'A small model and a data set come with the page, so you can start right away. Later, take a model folder, one from the Hugging Face Hub, or your own file.',
    targets: [`#${MODEL_PANEL}`],
  },
  method: {
    title: 'Set how LISA trains',
    text: 'γ layers train at a time, and every K steps others are drawn. A larger γ learns more per step and needs more memory. Each “?” says what its setting is good for.',
    targets: [`#${METHOD_PANEL}`],
  },
  schedule: {
    title: 'See which layers will train',
    text: 'A row for each layer, a column for each period. The seed decides the draw, so you see it before the run. While the model trains, the same picture fills up.',
    targets: [`#${SCHEDULE_PANEL}`, `#${MEMORY_PANEL}`],
  },
  memory: {
    title: 'Compare the memory',
    text: 'GPU memory with LISA, LoRA and full fine-tuning, before anything is loaded. The bars follow every setting; point at a part to see how it is calculated.',
    targets: [`#${MEMORY_PANEL}`],
  },
  start: {
    title: 'Start',
    text: 'You can pause and stop at any time. The run is saved as it goes and resumes after a reload. At the end you compare both models and download yours.',
    targets: ['.action-bar'],
  },
};
