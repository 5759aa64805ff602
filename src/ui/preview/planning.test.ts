import { expect, test } from 'vitest';
import { DEFAULTS } from '../../config/run-config';
import { forecast } from '../../plan/forecast';
import { SHAPES } from '../../testing/shapes';
import { reply, type PlannerReply, type PlannerRequest } from './planner';
import { KnownForecasts } from './forecasts';
import { Planner } from './planning';

const model = { shape: SHAPES['odd Llama, tied'], types: 'f32' as const };
const config = { ...DEFAULTS, seqLen: 32 };

/** A worker that answers when it is told to. */
class Thread {
  readonly got: PlannerRequest[] = [];
  onmessage: Worker['onmessage'] = null;
  onerror: Worker['onerror'] = null;

  postMessage(request: PlannerRequest): void {
    this.got.push(request);
  }

  answer(): void {
    const data: PlannerReply = reply(this.got.at(-1)!);
    this.onmessage!.call(this as unknown as Worker, { data } as MessageEvent);
  }
}

test('one question is under way; of those that wait in one place, the newest is asked', async () => {
  const thread = new Thread();
  const planner = new Planner(() => thread);
  const first = planner.ask('a', 'waterfall', { model, config });
  const old = planner.ask('b', 'memory', { model, config });
  const other = planner.ask('c', 'fit', { model, config, budget: 1, given: ['recompute'] });
  const newer = planner.ask('b', 'memory', { model, config: { ...config, seqLen: 64 } });
  expect(await old).toBeNull();
  expect(thread.got.map(({ kind }) => kind)).toEqual(['waterfall']);
  thread.answer();
  expect((await first)!.answer).toMatchObject({ run: forecast(model.shape, config).total });
  thread.answer();
  expect((await other)!.answer).toMatchObject({ fits: false, config: { recompute: 'off' } });
  thread.answer();
  expect((await newer)!.answer).toMatchObject({ forecast: { total: forecast(model.shape, { ...config, seqLen: 64 }).total } });
  expect(thread.got).toHaveLength(3);
});

test('a question without a plan is answered with the reason, and a thread that fails does not block the next question', async () => {
  const threads: Thread[] = [];
  const planner = new Planner(() => {
    threads.push(new Thread());
    return threads.at(-1) as unknown as Worker;
  });
  const wrong = planner.ask('a', 'waterfall', { model: { ...model, shape: { ...model.shape, layers: 0 } }, config });
  threads[0].answer();
  expect((await wrong)!.error).not.toBeNull();
  const lost = planner.ask('a', 'memory', { model, config });
  const next = planner.ask('b', 'memory', { model, config });
  threads[0].onerror!.call(threads[0] as unknown as Worker, new Event('error') as ErrorEvent);
  expect((await lost)!.error?.code).toBe('INTERNAL');
  threads[1].answer();
  expect((await next)!.answer).not.toBeNull();
});

test('a forecast that is not there is asked for once; until it comes, the last one of its kind stands in', async () => {
  const thread = new Thread();
  const planner = new Planner(() => thread);
  let told = 0;
  const forecasts = new KnownForecasts(
    (...asked) => planner.ask(...asked),
    () => told++,
  );
  const total = (seqLen: number): number | undefined => forecasts.memory(model, { ...config, seqLen })?.forecast?.total;
  const settled = (): Promise<void> => new Promise((resolve) => setTimeout(resolve));
  expect([total(32), total(32)]).toEqual([undefined, undefined]);
  thread.answer();
  await settled();
  const short = forecast(model.shape, config).total;
  expect([told, total(32), total(64)]).toEqual([1, short, short]);
  // Another method is of another kind.
  expect(forecasts.memory(model, config, 'lora')).toBeNull();
  expect(forecasts.stepFlops(model, config)).toBeNull();
  thread.answer();
  await settled();
  expect([told, total(64)]).toEqual([2, forecast(model.shape, { ...config, seqLen: 64 }).total]);
  expect(thread.got.map(({ kind }) => kind)).toEqual(['memory', 'memory', 'memory']);
});
