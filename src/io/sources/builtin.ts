// What the project ships: one small model and one data set, at the same paths under public/ for the page and for the terminal.

export interface BuiltinModel {
  readonly id: string;
  readonly path: string;
  readonly files: readonly string[];
}

export interface BuiltinData {
  readonly id: string;
  readonly train: string;
  readonly evaluation: string;
}

export const BUILTIN_MODELS: readonly BuiltinModel[] = [
  {
    id: 'wordsmith-2m',
    path: 'models/wordsmith-2m',
    files: [
      'config.json',
      'generation_config.json',
      'model.safetensors',
      'special_tokens_map.json',
      'tokenizer.json',
      'tokenizer_config.json',
    ],
  },
];

export const BUILTIN_DATASETS: readonly BuiltinData[] = [
  { id: 'devils-dictionary', train: 'data/devils-dictionary.jsonl', evaluation: 'data/devils-dictionary.eval.jsonl' },
];
