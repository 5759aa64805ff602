import { describe, expect, test } from 'vitest';
import { LayerController } from './controller';

const count = (controller: LayerController, updates: number): void => {
  for (let i = 0; i < updates; i++) controller.countUpdate();
};

describe('state that is dropped', () => {
  test('the first draw clears every slot that it takes', () => {
    const controller = new LayerController(2, false);
    expect(controller.switchTo([1, 3])).toEqual({
      leave: [],
      join: [
        [0, 1],
        [1, 3],
      ],
      park: [],
      clear: [0, 1],
      restore: [],
    });
    expect([...controller.assignment()]).toEqual([
      [1, 0],
      [3, 1],
    ]);
  });

  test('a stayer keeps its slot and its count, a leaver loses both', () => {
    const controller = new LayerController(2, false);
    controller.switchTo([1, 3]);
    count(controller, 5);
    expect(controller.switchTo([0, 3])).toEqual({ leave: [[0, 1]], join: [[0, 0]], park: [], clear: [0], restore: [] });
    expect(controller.slots()).toEqual([
      { layer: 0, updates: 0 },
      { layer: 3, updates: 5 },
    ]);
    count(controller, 2);
    // 1 was trained before, and begins anew.
    expect(controller.switchTo([0, 1])).toEqual({ leave: [[1, 3]], join: [[1, 1]], park: [], clear: [1], restore: [] });
    expect(controller.slots()).toEqual([
      { layer: 0, updates: 2 },
      { layer: 1, updates: 0 },
    ]);
    expect(controller.parked().size).toBe(0);
  });

  test('the same draw again touches nothing', () => {
    const controller = new LayerController(2, false);
    controller.switchTo([2, 0]);
    count(controller, 3);
    expect(controller.switchTo([0, 2])).toEqual({ leave: [], join: [], park: [], clear: [], restore: [] });
    expect(controller.slots().map((slot) => slot.updates)).toEqual([3, 3]);
  });

  test('an exchange of all layers clears all slots', () => {
    const controller = new LayerController(2, false);
    controller.switchTo([0, 1]);
    count(controller, 1);
    expect(controller.switchTo([2, 3])).toEqual({
      leave: [
        [0, 0],
        [1, 1],
      ],
      join: [
        [0, 2],
        [1, 3],
      ],
      park: [],
      clear: [0, 1],
      restore: [],
    });
    expect(controller.slots()).toEqual([
      { layer: 2, updates: 0 },
      { layer: 3, updates: 0 },
    ]);
  });

  test('draws of different sizes: an idle slot has no layer and counts nothing', () => {
    const controller = new LayerController(3, false);
    controller.switchTo([4, 5, 6]);
    count(controller, 2);
    expect(controller.switchTo([5])).toEqual({
      leave: [
        [0, 4],
        [2, 6],
      ],
      join: [],
      park: [],
      clear: [],
      restore: [],
    });
    count(controller, 1);
    expect(controller.slots()).toEqual([
      { layer: null, updates: 0 },
      { layer: 5, updates: 3 },
      { layer: null, updates: 0 },
    ]);
    // A slot that was idle is cleared again before it is used.
    expect(controller.switchTo([5, 7])).toEqual({ leave: [], join: [[0, 7]], park: [], clear: [0], restore: [] });
  });
});

describe('state that is parked', () => {
  test('a leaver is parked with its count and comes back with it, into whatever slot is free', () => {
    const controller = new LayerController(2, true);
    controller.switchTo([0, 1]);
    count(controller, 5);
    expect(controller.switchTo([1, 2])).toEqual({ leave: [[0, 0]], join: [[0, 2]], park: [[0, 0]], clear: [0], restore: [] });
    expect([...controller.parked()]).toEqual([[0, 5]]);
    count(controller, 5);
    // 1 leaves slot 1; 0 comes back there although it was in slot 0.
    expect(controller.switchTo([0, 2])).toEqual({ leave: [[1, 1]], join: [[1, 0]], park: [[1, 1]], clear: [], restore: [[1, 0]] });
    expect(controller.slots()).toEqual([
      { layer: 2, updates: 5 },
      { layer: 0, updates: 5 },
    ]);
    expect([...controller.parked()]).toEqual([[1, 10]]);
    count(controller, 1);
    expect(controller.slots().map((slot) => slot.updates)).toEqual([6, 6]);
  });

  test('two layers change places with two parked ones', () => {
    const controller = new LayerController(2, true);
    controller.switchTo([0, 1]);
    count(controller, 3);
    controller.switchTo([2, 3]);
    count(controller, 4);
    expect(controller.switchTo([0, 1])).toEqual({
      leave: [
        [0, 2],
        [1, 3],
      ],
      join: [
        [0, 0],
        [1, 1],
      ],
      park: [
        [0, 2],
        [1, 3],
      ],
      clear: [],
      restore: [
        [0, 0],
        [1, 1],
      ],
    });
    expect(Object.fromEntries(controller.parked())).toEqual({ 2: 4, 3: 4 });
  });
});

describe('resume', () => {
  test('goes on from what slots() and parked() told', () => {
    const first = new LayerController(2, true);
    first.switchTo([0, 1]);
    count(first, 5);
    first.switchTo([1, 2]);
    count(first, 3);
    const second = new LayerController(2, true);
    second.resume(structuredClone([...first.slots()]), structuredClone([...first.parked()]));
    expect(second.slots()).toEqual(first.slots());
    for (const controller of [first, second]) count(controller, 2);
    expect(second.switchTo([0, 3])).toEqual(first.switchTo([0, 3]));
    expect(second.slots()).toEqual(first.slots());
    expect([...second.parked()]).toEqual([...first.parked()]);
  });

  test('takes nothing of what was there before', () => {
    const controller = new LayerController(1, true);
    controller.switchTo([0]);
    controller.switchTo([1]);
    controller.resume([{ layer: 2, updates: 7 }], []);
    expect(controller.parked().size).toBe(0);
    expect([...controller.assignment()]).toEqual([[2, 0]]);
  });

  test('another number of slots is another run', () => {
    expect(() => new LayerController(2, false).resume([{ layer: 0, updates: 1 }], [])).toThrow(
      expect.objectContaining({ code: 'CHECKPOINT_MISMATCH' }),
    );
  });
});

test.each([[[0, 1, 2]], [[1, 1]]])('refuses the draw %j for two slots', (layers) => {
  expect(() => new LayerController(2, false).switchTo(layers)).toThrow(expect.objectContaining({ code: 'INTERNAL' }));
});

test('blocks that are drawn start anew when they join, or go on where their state was parked; resuming restores them', () => {
  for (const park of [false, true]) {
    const controller = new LayerController(1, park, ['embedding', 'norm']);
    expect(controller.switchBlocks(['norm'])).toEqual(park ? [] : ['norm']);
    controller.countUpdate();
    controller.countUpdate();
    // It stays.
    expect(controller.switchBlocks(['embedding', 'norm'])).toEqual(park ? [] : ['embedding']);
    controller.countUpdate();
    controller.switchBlocks([]);
    expect(controller.drawn()).toEqual([]);
    expect(controller.blocks().map(({ updates }) => updates)).toEqual([1, 3]);
    const other = new LayerController(1, park, ['embedding', 'norm']);
    other.resume(controller.slots(), [], controller.blocks());
    for (const each of [controller, other]) {
      expect(each.switchBlocks(['norm'])).toEqual(park ? [] : ['norm']);
      expect(each.blocks()).toEqual([
        { name: 'embedding', trains: false, updates: 1 },
        { name: 'norm', trains: true, updates: park ? 3 : 0 },
      ]);
    }
  }
});
