// What the project ships: one small model and two data sets, at the same paths under public/ for the page and for the terminal.

export interface BuiltinModel {
  readonly id: string;
  readonly path: string;
  readonly files: readonly string[];
}

export interface BuiltinData {
  readonly id: string;
  readonly name: string;
  /** One sentence on what is in it. */
  readonly about: string;
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
  {
    id: 'pirate',
    name: 'A pirate’s dictionary',
    about: 'Everyday words, explained in a voice that the built-in model has never read. A quick look is enough to hear it.',
    train: 'data/pirate.jsonl',
    evaluation: 'data/pirate.eval.jsonl',
  },
  {
    id: 'devils-dictionary',
    name: 'The Devil’s Dictionary',
    about: 'Ambrose Bierce’s mocking definitions. They are harder to learn: plan a hundred steps or more.',
    train: 'data/devils-dictionary.jsonl',
    evaluation: 'data/devils-dictionary.eval.jsonl',
  },
];
