import { mock } from 'node:test';
import { pino } from 'pino';
import t from 'tap';
import { createDropLog } from '../../src/observers/drop-log.ts';

function open() {
  const lines: unknown[] = [];
  const write = (text: string) => void lines.push(JSON.parse(text));
  return { drops: createDropLog(pino({ base: null, timestamp: false }, { write })), lines };
}

function line(sink: string, dropped: number) {
  return { event: 'decision_log.dropped', sink, dropped };
}

t.beforeEach(() => mock.timers.enable({ apis: ['setTimeout'] }));
t.afterEach(() => mock.timers.reset());

t.test('logs the first loss of each sink at once, and the others a minute later together', async (t) => {
  const { drops, lines } = open();
  drops.onDrop('file', 3);
  drops.onDrop('redis', 1);
  t.match(lines, [line('file', 3), line('redis', 1)]);
  drops.onDrop('file', 2);
  drops.onDrop('file', 4);
  mock.timers.tick(59_999);
  t.equal(lines.length, 2);
  mock.timers.tick(1);
  t.match(lines.slice(2), [line('file', 6)]);
  mock.timers.tick(600_000);
  t.equal(lines.length, 3);
  drops.close();
});

t.test('logs what is left when it is closed, once', async (t) => {
  const { drops, lines } = open();
  drops.onDrop('file', 1);
  drops.onDrop('file', 7);
  drops.close();
  drops.close();
  mock.timers.tick(60_000);
  t.match(lines, [line('file', 1), line('file', 7)]);
  t.equal(lines.length, 2);
});
