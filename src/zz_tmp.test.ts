import { readFileSync, existsSync } from 'node:fs';
import { it } from 'vitest';
import { builtinTokenizer, stories260k } from './data/fixtures/tokenizers';
import { chatOf } from './data/chat';
import { renderer } from './data/template';
import { parseData } from './data/parse';
const time = (name: string, f: () => unknown) => { const t = performance.now(); f(); console.log(name, (performance.now() - t).toFixed(0)); };
it('x', () => {
  const tok = builtinTokenizer();
  const { rows } = parseData({ name: 'd.jsonl', text: readFileSync('public/data/devils-dictionary.jsonl', 'utf8') }, { badRows: 'refuse' });
  const msgs = rows.map((r) => (r.kind === 'chat' ? r.messages : []));
  const chat = chatOf(tok), render = renderer(tok);
  for (let k = 0; k < 3; k++) {
    time('render', () => msgs.forEach((m) => render(m, false)));
    const texts = msgs.map((m) => render(m, false));
    time('encode', () => texts.forEach((t) => tok.encode(t)));
    const ids = texts.map((t) => tok.encode(t));
    time('ends', () => texts.forEach((t, i) => tok.tokenEnds(t, ids[i])));
    time('chat.encode', () => msgs.forEach((m) => chat.encode(m, 'assistant')));
  }
  const p = '/work/shared/real/tinyshakespeare.txt';
  if (existsSync(p)) {
    const text = readFileSync(p, 'utf8');
    time('shakespeare builtin', () => console.log(tok.encode(text).length));
    time('shakespeare stories260k', () => console.log(stories260k()?.encode(text).length));
  }
});
