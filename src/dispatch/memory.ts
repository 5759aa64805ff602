// Memory classes; bytes by class and by block of the model, and their sums. Forecast and ledger count with the same functions.

/** What a byte of GPU memory is for. Every buffer has exactly one class. */
export const MEMORY_CLASSES = [
  'weights',
  'masters',
  'gradients',
  'optimizer',
  'activations',
  'workspace',
  'inputs',
  'cache',
  'staging',
] as const;
export type MemoryClass = (typeof MEMORY_CLASSES)[number];

/** What is counted of a buffer (BufferSpec). */
interface Counted {
  readonly bytes: number;
  readonly memory: MemoryClass;
  readonly block?: string;
}

export type ClassBytes = Record<MemoryClass, number>;

/** Bytes by class with their sum, as metrics and reports carry them. */
export type MemoryTotals = ClassBytes & { readonly total: number };

export type BytesByBlock = Readonly<Record<string, number>>;

export const zeroBytes = (): ClassBytes => Object.fromEntries(MEMORY_CLASSES.map((name) => [name, 0])) as ClassBytes;

export const sumBytes = (bytes: ClassBytes): number => MEMORY_CLASSES.reduce((sum, name) => sum + bytes[name], 0);

/** Bytes by class of a set of buffers: what the ledger reads once they are allocated. */
export function bytesByClass(specs: Iterable<Counted>): ClassBytes {
  const bytes = zeroBytes();
  for (const spec of specs) bytes[spec.memory] += spec.bytes;
  return bytes;
}

/** Bytes by block of the model (BufferSpec.block), of a plan or of the ledger; buffers of no block count under ''. */
export function bytesByBlock(specs: Iterable<Counted>): BytesByBlock {
  const bytes: Record<string, number> = {};
  for (const { block = '', bytes: size } of specs) bytes[block] = (bytes[block] ?? 0) + size;
  return bytes;
}

export const withTotal = (bytes: ClassBytes): MemoryTotals => ({ ...bytes, total: sumBytes(bytes) });
