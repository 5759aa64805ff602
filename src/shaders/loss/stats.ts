// The numbers of a step that stay on the GPU: f32[8], read back once per step. The WGSL files that use them
// name the same places.

export const STATS = { loss: 0, gradNorm: 1, clip: 2, bad: 3 } as const;

export const STATS_ELEMENTS = 8;

export interface StepStats {
  /** Mean loss over the targets of the step so far. */
  readonly loss: number;
  /** Norm of all gradients of the step, before clipping. */
  readonly gradNorm: number;
  /** Factor on every gradient: below 1 if clipped, 0 if the update is skipped. */
  readonly clip: number;
  /** Loss or norm was not finite, in this step or one before: no update is made until stats are cleared. */
  readonly bad: boolean;
}

export const readStats = (values: Float32Array): StepStats => ({
  loss: values[STATS.loss],
  gradNorm: values[STATS.gradNorm],
  clip: values[STATS.clip],
  bad: values[STATS.bad] !== 0,
});
