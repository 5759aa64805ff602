// Memory categories; bytes by category and by block of the model, and their sums. Forecast and ledger count with the same functions.

/** What a byte of GPU memory is for. Every buffer has exactly one category. */
export const MEMORY_CATEGORIES = [
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
export type MemoryCategory = (typeof MEMORY_CATEGORIES)[number];

/** The fields of a buffer (BufferSpec) that are counted. */
interface Counted {
  readonly bytes: number;
  readonly memory: MemoryCategory;
  readonly block?: string;
}

export type CategoryBytes = Record<MemoryCategory, number>;

/** Bytes by category with their sum, as metrics and reports carry them. */
export type MemoryTotals = CategoryBytes & { readonly total: number };

export type BytesByBlock = Readonly<Record<string, number>>;

export const zeroBytes = (): CategoryBytes => Object.fromEntries(MEMORY_CATEGORIES.map((name) => [name, 0])) as CategoryBytes;

export const sumBytes = (bytes: CategoryBytes): number => MEMORY_CATEGORIES.reduce((sum, name) => sum + bytes[name], 0);

/** Bytes by category of a set of buffers: what the ledger reads once they are allocated. */
export function bytesByCategory(specs: Iterable<Counted>): CategoryBytes {
  const bytes = zeroBytes();
  for (const spec of specs) bytes[spec.memory] += spec.bytes;
  return bytes;
}

/** Bytes by block of the model (BufferSpec.block), of a plan or of the ledger; buffers without a block count under ''. */
export function bytesByBlock(specs: Iterable<Counted>): BytesByBlock {
  const bytes: Record<string, number> = {};
  for (const { block = '', bytes: size } of specs) bytes[block] = (bytes[block] ?? 0) + size;
  return bytes;
}

export const withTotal = (bytes: CategoryBytes): MemoryTotals => ({ ...bytes, total: sumBytes(bytes) });
