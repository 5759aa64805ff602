// What llama.cpp computes from a GGUF file, through node-llama-cpp: on the CPU, one thread, K/V cache in f32, no flash
// attention.

import { answer, type Answer } from './ours';

interface Sequence {
  controlledEvaluate(
    input: [token: number, options: { generateNext: { logits: true } }][],
  ): Promise<({ next: { logits?: Map<number, number> } } | undefined)[]>;
}
interface Context {
  getSequence(): Sequence;
  dispose(): Promise<void>;
}
export interface LlamaModel {
  createContext(options: object): Promise<Context>;
  tokenize(text: string, specialTokens: boolean): number[];
  dispose(): Promise<void>;
}
export interface Llama {
  loadModel(options: { modelPath: string }): Promise<LlamaModel>;
}

const CONTEXT = { flashAttention: false, experimentalKvCacheKeyType: 'F32', experimentalKvCacheValueType: 'F32' };

/** `adapter`: a LoRA adapter's file, laid over the model. */
export async function llamaAnswer(model: LlamaModel, ids: readonly number[], more: number, adapter?: string): Promise<Answer> {
  const lora = adapter === undefined ? {} : { lora: { adapters: [{ filePath: adapter, scale: 1 }] } };
  const context = await model.createContext({ ...CONTEXT, contextSize: ids.length + more, ...lora });
  try {
    const sequence = context.getSequence();
    return await answer(ids, more, async (id) => {
      const [result] = await sequence.controlledEvaluate([[id, { generateNext: { logits: true } }]]);
      const { logits } = result!.next;
      const dense = new Float64Array(logits!.size);
      for (const [token, value] of logits!) dense[token] = value;
      return dense;
    });
  } finally {
    await context.dispose();
  }
}
