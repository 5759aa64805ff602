// One model with one method on one device, ready to train the same batch again and again.

import { microSegments } from '../../plan/step-plan';
import { DEFAULTS, type Method, type RunConfig } from '../../config/run-config';
import type { MicroBatch } from '../../data/batch/batch';
import type { Gpu } from '../../gpu/device';
import { turnsOf } from '../../lisa/schedule';
import { segmentFlops } from '../../plan/forecast';
import { planInput, scheduleConfig, type KernelChoice } from '../../plan/input';
import type { Segment } from '../../dispatch/types';
import { initialA, loraSites } from '../../engine/lora';
import { Engine } from '../../engine/engine';
import { truthOf } from '../../engine/truth';
import { memoryScratch } from '../../io/formats/scratch';
import { LayerController } from '../../lisa/controller';
import type { StepStats } from '../../shaders/loss/stats';
import { takeStep, type StepState } from '../../train/step';
import { benchBatch, type BatchShape, type BenchModel } from './models';

export interface RigOptions {
  readonly method: Method;
  /** The largest micro-batch that buffers are made for. */
  readonly batch: BatchShape;
  /** What is trained on. Default: `batch`. */
  readonly live?: BatchShape;
  readonly kernels: KernelChoice;
  readonly gamma?: number;
  /** Always-on tensors of LISA. Default: all. */
  readonly train?: RunConfig['alwaysOn'];
  /** Layers of every step. Default: period 0 of the seeded schedule. */
  readonly draw?: readonly number[];
  /** Other settings that replace the rig's. */
  readonly settings?: Partial<RunConfig>;
}

export interface StepTime {
  /** Wall-clock time. */
  readonly ms: number;
  /** CPU time of this process over all cores. On a software adapter this measures the work itself, whoever else uses the machine. */
  readonly cpuMs: number;
}

export class Rig {
  readonly engine: Engine;
  readonly state: StepState;
  readonly batch: MicroBatch;
  readonly config: RunConfig;

  static async create(gpu: Gpu, model: BenchModel, options: RigOptions): Promise<Rig> {
    const { method, batch, live = batch, kernels, gamma = 2, train = DEFAULTS.alwaysOn, draw, settings } = options;
    const config: RunConfig = {
      ...DEFAULTS,
      ...batch,
      method,
      // One period, so that no step has a switch in it; and weights that hardly move.
      steps: 1_000_000,
      stepsPerPeriod: 1_000_000,
      lisaLayers: draw?.length ?? Math.min(gamma, model.shape.layers),
      alwaysOn: train,
      lr: 1e-6,
      warmup: 0,
      lrSchedule: 'constant',
      ...settings,
    };
    const engine = await Engine.create(
      gpu,
      planInput(model.shape, config, { kernels, types: model.types, ...(draw && { draws: [draw] }) }),
      {
        truth: truthOf(
          (...part) => model.tensor(...part),
          () => Promise.resolve(memoryScratch()),
        ),
      },
    );
    try {
      for await (const { row, start, data } of model.pieces()) await engine.writeTensor(row, data, start);
      for (const layer of engine.plan.buffers.adapters.keys()) {
        for (const site of loraSites(model.shape))
          engine.writeAdapter(layer, site.a, initialA(1, layer, site.slice, config.loraRank, site.op.in));
      }
      return new Rig(engine, config, draw, benchBatch(model.shape, live));
    } catch (error) {
      engine.close();
      throw error;
    }
  }

  private constructor(engine: Engine, config: RunConfig, draw: readonly number[] | undefined, batch: MicroBatch) {
    const { input, buffers } = engine.plan;
    const turns = turnsOf(config, scheduleConfig(input.shape, config));
    this.engine = engine;
    this.config = config;
    this.batch = batch;
    this.state = {
      config,
      engine,
      loader: { nextStep: () => ({ microBatches: [this.batch], targets: this.batch.targets, tokens: this.batch.rows }) },
      turns: draw ? { ...turns, layersOf: () => draw } : turns,
      controller: new LayerController(buffers.slots.length, false),
      parked: new Map(),
      completed: 0,
    };
  }

  /** The layers that train in every step, ascending. */
  get layers(): readonly number[] {
    return this.state.turns.layersOf(0);
  }

  /** One optimizer step from the first upload to the last kernel's end, and its figures. */
  async step(): Promise<StepTime & { readonly stats: StepStats }> {
    const cpu = process.cpuUsage();
    const start = performance.now();
    const { stats } = await takeStep(this.state);
    await this.engine.executor.idle();
    const ms = performance.now() - start;
    const { user, system } = process.cpuUsage(cpu);
    return { ms, cpuMs: (user + system) / 1000, stats: await stats };
  }

  /** Segments of a step with the layers in training. */
  segments(): Segment[] {
    const plan = this.engine.plan.step(new Map(this.layers.map((layer, slot) => [layer, slot])));
    return [...microSegments(plan, this.batch.extents), ...plan.norm, ...plan.update];
  }

  flops(): number {
    return segmentFlops(this.segments(), this.batch.extents);
  }

  close(): void {
    this.engine.close();
  }
}
