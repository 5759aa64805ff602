// The loss of a model whose weights are not all on the GPU: every batch goes through a layer before the next layer's weights take its
// place. So it takes the embedding, the head and one layer, whatever the number of layers; residual streams wait on the host.

import { evaluationInput, type PlanInput } from '../plan/input';
import { piecesOf } from '../io/formats/pieces';
import { parameterTable } from '../model/parameters';
import { elementsOf, type ParameterRow } from '../model/types';
import type { View } from '../dispatch/types';
import type { MicroBatch } from '../data/batch/batch';
import type { Gpu } from '../gpu/device';
import { Engine } from './engine';
import { writeBatch } from './inputs';
import type { ReadBase } from './truth';

/**
 * The sum over the targets of all batches, in nats. `run`: the plan whose batches these are. `read` gives the weights, in f32. `onLayer` receives the progress (0 to 1); if it throws, the
 * evaluation ends. Throws GPU_OOM and LIMIT_TOO_SMALL with nothing left behind.
 */
export async function lossByLayer(
  gpu: Gpu,
  run: PlanInput,
  batches: Iterable<MicroBatch>,
  read: ReadBase,
  onLayer: (fraction: number) => void | Promise<void>,
): Promise<number> {
  const engine = await Engine.create(gpu, evaluationInput(run));
  try {
    const { plan, executor } = engine;
    const { buffers } = plan;
    const table = parameterTable(run.shape, run.shardBytes);
    const streams: Float32Array<ArrayBuffer>[] = [];
    let [sum, done] = [0, 0];
    const load = async (wanted: (row: ParameterRow) => boolean): Promise<void> => {
      for (const row of table.filter(wanted)) {
        for (const [start, end] of piecesOf(elementsOf(row))) await engine.writeTensor(row, await read(row, start, end), start);
      }
    };
    const streamOf = ({ rows }: MicroBatch): View => ({ buffer: buffers.stream[0], offset: 0, bytes: rows * run.shape.width * 4 });
    const eachBatch = async (what: (batch: MicroBatch, index: number) => Promise<void>): Promise<void> => {
      let index = 0;
      for (const batch of batches) {
        writeBatch(engine, batch);
        executor.writeFrame({ extents: batch.extents, lossScale: 1 });
        if (streams[index]) executor.write(streamOf(batch), streams[index]);
        await what(batch, index++);
      }
      await onLayer(++done / (run.shape.layers + 2));
    };
    const keepStream = async (batch: MicroBatch, index: number): Promise<void> => {
      streams[index] = new Float32Array(await executor.read(streamOf(batch), buffers.staging));
    };

    await load(({ layer }) => layer === null);
    await eachBatch(async (batch, index) => {
      await executor.run(plan.evaluationByLayer(batch.extents).embedding, batch.extents);
      await keepStream(batch, index);
    });
    for (let layer = 0; layer < run.shape.layers; layer++) {
      await load((row) => row.layer === layer);
      await eachBatch(async (batch, index) => {
        await executor.run(plan.evaluationByLayer(batch.extents).layers[layer], batch.extents);
        await keepStream(batch, index);
      });
    }
    await eachBatch(async (batch) => {
      await executor.run(plan.evaluationByLayer(batch.extents).head, batch.extents);
      sum += await engine.readLoss();
    });
    return sum;
  } finally {
    engine.close();
  }
}
