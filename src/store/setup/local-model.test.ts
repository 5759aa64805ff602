import { expect, test } from 'vitest';
import { chooseModel, chooseModelFolder } from './local-model';
import { chosenSources, useSourcesStore } from './sources';

const at = (path: string): File =>
  Object.defineProperty(new File(['x'], path.split('/').at(-1) ?? ''), 'webkitRelativePath', { value: path });
const local = () => useSourcesStore.getState().local;

test('a folder has its name and its own files; those of its subfolders are not part of it', () => {
  chooseModelFolder([at('gpt2/onnx/config.json'), at('gpt2/config.json'), at('gpt2/model.safetensors')]);
  expect(local()).toMatchObject({ name: 'gpt2', facts: null, error: null });
  expect(local()?.files.map(({ webkitRelativePath }) => webkitRelativePath)).toEqual(['gpt2/config.json', 'gpt2/model.safetensors']);
  // Nothing is trained on before its headers are known.
  expect(chosenSources(useSourcesStore.getState())).toBeNull();
});

test('dropped files are a model by the name they are given', () => {
  chooseModel('dropped files', [new File(['x'], 'config.json')]);
  expect(local()).toMatchObject({ name: 'dropped files', facts: null });
  expect(useSourcesStore.getState().modelKind).toBe('local');
});
