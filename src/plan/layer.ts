// Forward and backward of one layer: the op list of the model walked down, then up.

import { RESIDUAL_STREAM, type LayerOp, type LinearOp } from '../model/layer-ops';
import {
  attentionBwdDelta,
  attentionBwdDkv,
  attentionBwdDq,
  attentionCached,
  attentionFwd,
  cacheAppend,
} from '../shaders/attention/attention';
import { geluBwdDx, geluFwd } from '../shaders/activation/gelu';
import { layerNormBwdDw, layerNormBwdDx, layerNormFwd } from '../shaders/norm/layer_norm';
import { rmsNormBwdDw, rmsNormBwdDx, rmsNormFwd } from '../shaders/norm/rms_norm';
import { rmsNormHeadsBwdDw, rmsNormHeadsBwdDx, rmsNormHeadsFwd } from '../shaders/norm/rms_norm_heads';
import { rope } from '../shaders/rope/rope';
import { swigluBwdDx, swigluFwd } from '../shaders/activation/swiglu';
import type { Slot } from './buffers';
import { layerWeight, liveRows, opLabel, Transients, width, type Context, type Unit } from './emit';
import { linearAdapterGradients, linearForward, linearInputGradient, linearWeightGradients, type Adapter } from './linear';
import { splitHeads } from './split';
import { tensorView } from './store';
import { FULL_VIEW, type BufferSpec, type Dispatch, type View } from '../dispatch/types';

/** How a layer takes part in a step: frozen (null), or trained with the state in a slot. */
export type LayerRole = Slot | null;

export type ForwardMode = 'train' | 'generate';

export interface EmittedUnit extends Unit {
  readonly transients: Transients;
}

/** Where the values of a layer live: the residual stream, kept for the backward, or short-lived. */
class Values {
  readonly transients = new Transients();
  readonly #context: Context;
  readonly #layer: number;
  readonly #kept: readonly ReadonlyMap<string, BufferSpec>[];

  constructor(context: Context, layer: number, kept: readonly ReadonlyMap<string, BufferSpec>[]) {
    this.#context = context;
    this.#layer = layer;
    this.#kept = kept;
  }

  get(name: string): View {
    const { stream } = this.#context.buffers;
    if (name === 'in') return FULL_VIEW(stream[this.#layer]);
    if (name === 'out') return FULL_VIEW(stream[this.#layer + 1]);
    for (const map of this.#kept) {
      const spec = map.get(name);
      if (spec) return FULL_VIEW(spec);
    }
    return this.transients.view(name, this.#context.input.rows * width(this.#context, name));
  }
}

function adapterOf(context: Context, layer: number): Adapter | null {
  const { lora } = context.input;
  if (!lora) return null;
  return { block: context.buffers.adapters[layer], slot: context.buffers.slots[layer], rank: lora.rank, scale: lora.alpha / lora.rank };
}

export function layerForward(context: Context, layer: number, role: LayerRole, mode: ForwardMode): EmittedUnit {
  const { input, buffers } = context;
  const { shape, rows } = input;
  const generate = mode === 'generate';
  const values = new Values(context, layer, generate ? [] : [buffers.saved[layer], role?.saved ?? new Map<string, BufferSpec>()]);
  const adapter = adapterOf(context, layer);
  const inputs = buffers.inputViews;
  const heads = { heads: shape.heads, kvHeads: shape.kvHeads, headDim: shape.headDim, rows };
  const scale = 1 / Math.sqrt(shape.headDim);
  const innerView = (of: Adapter, op: LinearOp, short: boolean): View =>
    short ? values.transients.view(`${op.y}.u`, rows * op.parts.length * of.rank) : FULL_VIEW(of.slot.saved.get(`${op.y}.u`)!);
  const dispatches = buffers.ops.flatMap((op): Dispatch[] => {
    const label = opLabel(layer, op, generate ? 'gen' : 'fwd');
    const x = values.get(op.x);
    const y = values.get(op.y);
    switch (op.kind) {
      case 'norm': {
        const common = {
          label,
          y,
          x,
          w: layerWeight(context, layer, role, op.weight),
          rstd: values.get(`${op.y}.rstd`),
          rows,
          width: shape.width,
          eps: shape.normEps,
          live: liveRows,
        };
        if (shape.norm === 'rms') return [rmsNormFwd(common)];
        return [layerNormFwd({ ...common, mean: values.get(`${op.y}.mean`), b: layerWeight(context, layer, role, op.bias!) })];
      }
      case 'linear': {
        const u = adapter && innerView(adapter, op, generate);
        return linearForward(
          { context, layer, role, op, x, whole: generate },
          y,
          op.residual === null ? undefined : values.get(op.residual),
          adapter,
          u,
        );
      }
      case 'head_norm': {
        const w = layerWeight(context, layer, role, op.weight);
        const kept = { raw: values.get(`${op.y}.raw`), rstd: values.get(`${op.y}.rstd`) };
        return [rmsNormHeadsFwd({ label, qkv: y, ...kept, w, ...heads, eps: shape.normEps })];
      }
      case 'rope': {
        const tables = buffers.rope!;
        return [
          rope({
            label,
            qkv: y,
            cos: FULL_VIEW(tables.cos),
            sin: FULL_VIEW(tables.sin),
            segStart: generate ? undefined : inputs.get('segStart')!,
            ...heads,
            tableRows: tables.positions,
            inverse: false,
          }),
        ];
      }
      case 'attention': {
        if (!generate)
          return splitHeads(input, shape.heads, (part) =>
            attentionFwd({
              label,
              o: y,
              lse: values.get(`${op.y}.lse`),
              qkv: x,
              segStart: inputs.get('segStart')!,
              ...heads,
              part,
              scale,
              family: input.kernels.attention,
            }),
          );
        const { k, v } = buffers.cache[layer];
        const cache = { kCache: FULL_VIEW(k), vCache: FULL_VIEW(v), capacity: input.cacheTokens, ...heads };
        return [cacheAppend({ label: `${label} append`, qkv: x, ...cache }), attentionCached({ label, o: y, q: x, scale, ...cache })];
      }
      case 'gelu_tanh':
      case 'gelu_erf':
        return [
          geluFwd({ label, y, x, kind: op.kind === 'gelu_tanh' ? 'tanh' : 'erf', rows, width: width(context, op.x), live: liveRows }),
        ];
      case 'swiglu':
        return [swigluFwd({ label, h: y, gu: x, rows, ff: shape.ff, live: liveRows })];
    }
  });
  return { name: `layer.${layer} ${mode}`, transients: values.transients, segments: [{ name: `layer.${layer} ${mode}`, dispatches }] };
}

/**
 * The adjoints of the layer's ops in reverse order. The gradient of the residual stream is one buffer, updated
 * in place. Without `needInput` (nothing below trains) what only the input's gradient would need is left out.
 */
export function layerBackward(context: Context, layer: number, role: LayerRole, needInput: boolean): EmittedUnit {
  const { input, buffers } = context;
  const { shape, rows } = input;
  const values = new Values(context, layer, [buffers.saved[layer], role?.saved ?? new Map<string, BufferSpec>()]);
  const { transients } = values;
  const adapter = role ? adapterOf(context, layer) : null;
  const dense = role && !adapter ? role : null;
  const needs = gradientsNeeded(buffers.ops, needInput, (op) => (dense ? 'weight' in op : adapter !== null && op.kind === 'linear'));
  const gradient = (name: string): View =>
    RESIDUAL_STREAM.has(name) ? FULL_VIEW(buffers.stream[shape.layers]) : transients.view(`d.${name}`, rows * width(context, name));
  const inputs = buffers.inputViews;
  const heads = { heads: shape.heads, kvHeads: shape.kvHeads, headDim: shape.headDim, rows };
  const scale = 1 / Math.sqrt(shape.headDim);

  const dispatches = [...buffers.ops].reverse().flatMap((op): Dispatch[] => {
    const needX = needs.has(op.x);
    const dy = gradient(op.y);
    switch (op.kind) {
      case 'norm': {
        const w = layerWeight(context, layer, role, op.weight);
        const common = { dy, x: values.get(op.x), rstd: values.get(`${op.y}.rstd`), rows, width: shape.width, live: liveRows };
        const target = { dx: gradient(op.x), w, accumulate: RESIDUAL_STREAM.has(op.x), label: opLabel(layer, op, 'dX') };
        const list: Dispatch[] = [];
        if (shape.norm === 'rms') {
          if (dense)
            list.push(
              rmsNormBwdDw({ ...common, label: opLabel(layer, op, 'dW'), dw: tensorView(dense.gradient, dense.layout, op.weight) }),
            );
          if (needX) list.push(rmsNormBwdDx({ ...common, ...target }));
        } else {
          const mean = values.get(`${op.y}.mean`);
          if (dense) {
            const dw = tensorView(dense.gradient, dense.layout, op.weight);
            list.push(
              layerNormBwdDw({
                ...common,
                mean,
                label: opLabel(layer, op, 'dW'),
                dw,
                db: tensorView(dense.gradient, dense.layout, op.bias!),
              }),
            );
          }
          if (needX) list.push(layerNormBwdDx({ ...common, ...target, mean }));
        }
        return list;
      }
      case 'linear': {
        const site = { context, layer, role, op };
        const list: Dispatch[] = [];
        if (dense) list.push(...linearWeightGradients({ ...site, x: values.get(op.x) }, dy, dense));
        if (needX) list.push(...linearInputGradient(site, gradient(op.x), dy));
        if (adapter)
          list.push(...linearAdapterGradients({ ...site, x: values.get(op.x) }, dy, adapter, transients, needX ? gradient(op.x) : null));
        return list;
      }
      case 'head_norm': {
        const common = { dqkv: dy, raw: values.get(`${op.y}.raw`), rstd: values.get(`${op.y}.rstd`), ...heads };
        const list: Dispatch[] = [];
        if (dense) {
          const dw = tensorView(dense.gradient, dense.layout, op.weight);
          list.push(rmsNormHeadsBwdDw({ ...common, label: opLabel(layer, op, 'head norm dW'), dw }));
        }
        if (needX) {
          const w = layerWeight(context, layer, role, op.weight);
          list.push(rmsNormHeadsBwdDx({ ...common, label: opLabel(layer, op, 'head norm dX'), w }));
        }
        return list;
      }
      case 'rope': {
        if (!needX) return [];
        const tables = buffers.rope!;
        const cos = FULL_VIEW(tables.cos);
        return [
          rope({
            label: opLabel(layer, op, 'dX'),
            qkv: dy,
            cos,
            sin: FULL_VIEW(tables.sin),
            segStart: inputs.get('segStart')!,
            ...heads,
            tableRows: tables.positions,
            inverse: true,
          }),
        ];
      }
      case 'attention': {
        if (!needX) return [];
        const delta = transients.view(`d.${op.y}.delta`, rows * shape.heads);
        const common = {
          dqkv: gradient(op.x),
          dout: dy,
          qkv: values.get(op.x),
          lse: values.get(`${op.y}.lse`),
          delta,
          ...heads,
          scale,
          family: input.kernels.attention,
        };
        return [
          attentionBwdDelta({
            label: opLabel(layer, op, 'delta'),
            delta,
            dout: dy,
            o: values.get(op.y),
            rows,
            heads: shape.heads,
            headDim: shape.headDim,
          }),
          ...splitHeads(input, shape.heads, (part) =>
            attentionBwdDq({ ...common, part, label: opLabel(layer, op, 'dQ'), segStart: inputs.get('segStart')! }),
          ),
          ...splitHeads(input, shape.kvHeads, (part) =>
            attentionBwdDkv({ ...common, part, label: opLabel(layer, op, 'dKV'), segEnd: inputs.get('segEnd')! }),
          ),
        ];
      }
      case 'gelu_tanh':
      case 'gelu_erf': {
        if (!needX) return [];
        const kind = op.kind === 'gelu_tanh' ? 'tanh' : 'erf';
        return [
          geluBwdDx({
            label: opLabel(layer, op, 'dX'),
            dx: gradient(op.x),
            dy,
            x: values.get(op.x),
            kind,
            rows,
            width: width(context, op.x),
            live: liveRows,
          }),
        ];
      }
      case 'swiglu':
        return needX
          ? [
              swigluBwdDx({
                label: opLabel(layer, op, 'dX'),
                dgu: gradient(op.x),
                dh: dy,
                gu: values.get(op.x),
                rows,
                ff: shape.ff,
                live: liveRows,
              }),
            ]
          : [];
    }
  });
  const name = `layer.${layer} bwd`;
  return { name, transients, segments: [{ name, dispatches }] };
}

/** Values whose gradient something wants: the layer's input, or an op's weights at or before them. */
function gradientsNeeded(ops: readonly LayerOp[], needInput: boolean, trains: (op: LayerOp) => boolean): Set<string> {
  const needs = new Set<string>(needInput ? ['in'] : []);
  for (const op of ops) {
    const residual = op.kind === 'linear' && op.residual !== null && needs.has(op.residual);
    if (needs.has(op.x) || residual || trains(op)) needs.add(op.y);
  }
  return needs;
}
