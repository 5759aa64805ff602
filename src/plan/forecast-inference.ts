// Memory of the base model beside the tuned one, when both answer the same prompt: what a comparison needs in addition to the run that has
// ended. Pure, like the forecast of a run.

import type { RunConfig } from '../config/run-config';
import { inferenceInput, planInput } from './input';
import { bytesByCategory, withTotal, type MemoryTotals } from '../dispatch/memory';
import { RunPlan } from './run-plan';
import type { ModelShape, CheckpointTypes } from '../model/types';

/**
 * `types`: types of the checkpoint's tensors; if the run keeps weights as stored, so does the base model. Throws CONFIG_INVALID if the
 * configuration does not fit the model.
 */
export const inferenceForecast = (shape: ModelShape, config: RunConfig, types?: CheckpointTypes): MemoryTotals =>
  withTotal(bytesByCategory(new RunPlan(inferenceInput(planInput(shape, config, { types }))).allBuffers));
