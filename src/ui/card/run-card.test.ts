import { describe, expect, it } from 'vitest';
import { RunMetrics } from '../../store/run/metrics';
import { newRun, reduceRun, type Run } from '../../store/run/run';
import { runEvents, type RunEventsOptions } from '../../testing/run-events';
import { escapeHtml, markup } from './markup';
import { runCardHtml } from './run-card';

function played(options: RunEventsOptions = {}): { run: Run; metrics: RunMetrics } {
  const { config, events } = runEvents(options);
  const metrics = new RunMetrics(config.method === 'lisa' ? config.stepsPerPeriod : null);
  let run = newRun('a', config);
  for (const event of events) {
    if (event.type === 'step') metrics.push(event.metrics);
    if (event.type === 'moved') metrics.noteMoved(event.period, event.layers);
    run = reduceRun(run, event);
  }
  return { run, metrics };
}

const TITLE = { name: 'My run', date: '24 November 2026, 21:03' };
const card = (options?: RunEventsOptions): string => runCardHtml(played(options), TITLE) ?? '';

const VOID = new Set(['meta', 'br', 'hr', 'img', 'link', 'input']);

/** Strict: every tag is closed in order, every attribute quoted, and no stray '<' or '&' is left. Returns the element names. */
function parse(text: string): string[] {
  const names: string[] = [];
  const open: string[] = [];
  const token = /<!doctype html>|<\/([a-z][a-z0-9]*)\s*>|<([a-z][a-z0-9]*)((?:\s+[a-zA-Z-]+(?:="[^"<]*")?)*)\s*>|([^<]+)/gy;
  while (token.lastIndex < text.length) {
    const from = token.lastIndex;
    const found = token.exec(text);
    if (!found) throw new Error(`not HTML at: ${text.slice(from, from + 60)}`);
    const [, closing, opening, attributes = '', content = ''] = found;
    const loose = /&(?!(?:amp|lt|gt|quot|#39);)/.exec(attributes + content);
    if (loose && open.at(-1) !== 'style') throw new Error(`a bare & in: ${content || attributes}`);
    if (opening) {
      names.push(opening);
      if (!VOID.has(opening)) open.push(opening);
    } else if (closing && open.pop() !== closing) throw new Error(`</${closing}> does not close what is open`);
  }
  if (open.length > 0) throw new Error(`left open: ${open.join(', ')}`);
  return names;
}

const HOSTILE = `</style></title><script>alert(1)</script><img src=x onerror="alert('2')">&amp;"' \u0000`;

describe('runCardHtml', () => {
  it('parses, for every method and at any state of a run', () => {
    for (const options of [
      {},
      { until: 5 },
      { config: { method: 'full' } },
      { config: { method: 'lora' } },
      { config: { steps: 600, stepsPerPeriod: 1 } },
    ] as const) {
      const names = parse(card(options));
      expect(names).toContain('svg');
      expect(names).not.toContain('script');
    }
    expect(runCardHtml(played({ until: 0 }), TITLE)).toBeNull();
  });

  it('needs nothing else', () => {
    expect(card()).not.toMatch(/\b(src|href|action|srcset)=|url\(|@import|https?:/);
  });

  it('escapes every text that comes from outside', () => {
    const { run, metrics } = played();
    const { prepared } = run;
    if (!prepared) throw new Error('the run was not prepared');
    const hostile: Run = {
      ...run,
      config: { ...run.config, prompts: [HOSTILE], model: HOSTILE, data: HOSTILE, columns: { prompt: HOSTILE } },
      prepared: {
        ...prepared,
        modelName: HOSTILE,
        data: { ...prepared.data, name: HOSTILE, format: HOSTILE },
        device: { vendor: HOSTILE, architecture: HOSTILE, description: HOSTILE, software: false },
      },
      samples: [{ when: 'after', step: 12, prompt: HOSTILE, text: HOSTILE }],
      error: { code: 'INTERNAL', detail: HOSTILE, remedy: HOSTILE },
    };
    const text = runCardHtml({ run: hostile, metrics }, { name: HOSTILE, date: HOSTILE }) ?? '';
    const names = parse(text);
    expect(names.filter((name) => ['script', 'img'].includes(name))).toEqual([]);
    expect(names.filter((name) => name === 'style' || name === 'title').length).toBe(
      parse(card()).filter((name) => name === 'style' || name === 'title').length,
    );
    expect(text).not.toContain('\u0000');
    expect(text.split('&lt;script&gt;').length).toBeGreaterThan(10);
  });

  it('gives exact figures, and says which are forecasts', () => {
    const { run, metrics } = played();
    const text = runCardHtml({ run, metrics }, TITLE) ?? '';
    expect(text).toContain(`title="${metrics.loss.last}"`);
    expect(text).toContain(run.report!.memory.peak.total.toLocaleString('en-US'));
    expect(text).toContain(run.prepared!.forecasts.full.total.toLocaleString('en-US'));
    expect(text.match(/<td>forecast<\/td>/g)).toHaveLength(3);
    expect(text.match(/<td>measured<\/td>/g)).toHaveLength(1);
    expect(text).toContain('before it');
  });

  it('a long run stays a small file', () => {
    const { run, metrics } = played({ config: { steps: 600, stepsPerPeriod: 100 } });
    const long = new RunMetrics(100);
    for (let step = 1; step <= 20_000; step++) long.push({ ...stepLike(metrics), step, activeLayers: [step % 4] });
    expect((runCardHtml({ run: { ...run, config: { ...run.config, steps: 20_000 } }, metrics: long }, TITLE) ?? '').length).toBeLessThan(
      150_000,
    );
  });
});

const stepLike = (metrics: RunMetrics) => ({
  loss: 2,
  lr: 1,
  gradNorm: 1,
  tokens: 1,
  targets: 1,
  stepMs: 1,
  memory: metrics.memoryChanges[0].bytes,
});

describe('markup', () => {
  it('escapes values and not its own pieces', () => {
    expect(markup`<p title="${'"'}">${'<b>'}${markup`<i>${'&'}</i>`}${[markup`<u>1</u>`]}${null}</p>`.text).toBe(
      '<p title="&quot;">&lt;b&gt;<i>&amp;</i><u>1</u></p>',
    );
    expect(escapeHtml('a\u0000b\ud800c\u{1f600}')).toBe('a\ufffdb\ufffdc\u{1f600}');
  });
});
