import { describe, expect, it } from 'vitest';
import { Column } from '../../store/run/columns';
import { absenceSentences, TabLog } from './background';

/** A run whose clock and steps go on together. */
function running(hidden = false) {
  const times = new Column();
  let now = 1_000_000;
  const log = new TabLog(times, now, hidden);
  return {
    log,
    now: () => now,
    wait: (ms: number) => (now += ms),
    /** Steps of `ms` each, with a beat of the timer after every 10 s. */
    train(count: number, ms: number) {
      for (let i = 0; i < count; i++) {
        now += ms;
        times.push(ms);
        if (Math.floor(now / 10_000) !== Math.floor((now - ms) / 10_000)) log.beat(now);
      }
    },
  };
}

describe('TabLog', () => {
  it('sets the steps of the hidden time against those before it', () => {
    const run = running();
    run.train(1, 5000);
    run.train(40, 900);
    run.log.hide(run.now());
    run.train(600, 1400);
    expect(run.log.show(run.now())).toEqual({ hiddenMs: 840_000, asleepMs: 0, beforeMs: 900, duringMs: 1400 });
    // The next absence is set against the time since this one.
    run.train(5, 800);
    run.log.hide(run.now());
    run.train(10, 1000);
    expect(run.log.show(run.now())).toMatchObject({ beforeMs: 800, duringMs: 1000 });
  });

  it('knows no speed from too few steps, and not from the first', () => {
    const run = running();
    run.train(3, 5000);
    run.log.hide(run.now());
    run.train(2, 1000);
    const absence = run.log.show(run.now());
    expect(absence?.beforeMs).toBeNaN();
    expect(absence?.duringMs).toBeNaN();
  });

  it('starts with a tab that is hidden already', () => {
    const run = running(true);
    run.train(20, 1000);
    expect(run.log.show(run.now())).toMatchObject({ hiddenMs: 20_000, duringMs: 1000 });
    expect(run.log.show(run.now())).toBeNull();
  });

  it('tells a sleep from slow training, and leaves the step that it fell into out of the speed', () => {
    const run = running();
    run.train(10, 1000);
    run.log.hide(run.now());
    run.train(10, 1000);
    run.wait(700_000);
    run.train(1, 1500);
    run.train(10, 1000);
    const absence = run.log.show(run.now());
    expect(absence?.asleepMs).toBeGreaterThan(690_000);
    expect(absence?.asleepMs).toBeLessThan(711_000);
    expect(absence?.duringMs).toBe(1000);
  });

  it('a step that takes minutes is no sleep', () => {
    const run = running();
    run.log.hide(run.now());
    run.train(4, 200_000);
    expect(run.log.show(run.now())).toMatchObject({ asleepMs: 0, duringMs: 200_000 });
  });

  it('timers that come once a minute are no sleep', () => {
    const run = running();
    run.train(10, 1000);
    run.log.hide(run.now());
    for (let i = 0; i < 10; i++) {
      run.wait(60_000);
      run.log.beat(run.now());
    }
    expect(run.log.show(run.now())?.asleepMs).toBe(0);
  });
});

describe('absenceSentences', () => {
  const absence = { hiddenMs: 840_000, asleepMs: 0, beforeMs: 900, duringMs: 1400 };
  it('says what was measured and nothing else', () => {
    expect(absenceSentences(absence)).toEqual(['While this tab was hidden for 14 min, a step took 1.4 s instead of 900 ms (measured).']);
    expect(absenceSentences({ ...absence, duringMs: 910 })[0]).toMatch(/as fast as before: a step took 910 ms \(measured\)/);
    expect(absenceSentences({ ...absence, beforeMs: NaN })[0]).toMatch(/a step took 1\.4 s \(measured\)\.$/);
    expect(absenceSentences({ ...absence, duringMs: NaN })).toEqual([]);
    expect(absenceSentences({ ...absence, hiddenMs: 4000 })).toEqual([]);
    expect(absenceSentences({ ...absence, asleepMs: 600_000 })[1]).toMatch(/^Nothing ran for about 10 min/);
  });
});
