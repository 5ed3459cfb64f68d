import { setImmediate } from 'node:timers/promises';
import t from 'tap';
import { createPendingChanges } from '../../../src/stores/activity/pending-changes.ts';
import type { DatedChange } from '../../../src/stores/activity/told-changes.ts';
import { until } from '../../support/test-app.ts';

function changeOf(number: number): DatedChange {
  const entity = { part: 'device', hash: String(number) } as const;
  return { change: { entity, values: [], acceptance: null, measures: [] }, atSeconds: number };
}

function open(changesMax?: number) {
  const server = { isUp: true, isTaking: true, sent: [] as number[], lost: 0 };
  const pending = createPendingChanges({
    isUp: () => server.isUp,
    send: ({ atSeconds }, tell) => {
      void setImmediate().then(() => {
        if (server.isTaking) server.sent.push(atSeconds);
        tell(server.isTaking);
      });
    },
    onLost: () => {
      server.lost += 1;
    },
    retryMs: 1,
    ...(changesMax === undefined ? {} : { changesMax }),
  });
  return { pending, server };
}

t.test('sends each once where it is taken', async (t) => {
  const { pending, server } = open();
  pending.add([changeOf(1), changeOf(2)]);
  await until('both are sent', () => server.sent.length === 2);
  pending.retry();
  await setImmediate();
  t.same(server.sent, [1, 2]);
});

t.test('keeps what came while Redis was down, and sends all of it', async (t) => {
  const { pending, server } = open();
  server.isUp = false;
  pending.add(Array.from({ length: 200 }, (_, number) => changeOf(number)));
  pending.retry();
  t.same(server.sent, []);
  server.isUp = true;
  pending.retry();
  pending.retry();
  await until('all are sent', () => server.sent.length === 200);
  t.same(
    server.sent,
    Array.from({ length: 200 }, (_, number) => number),
  );
  t.equal(server.lost, 0);
});

t.test('tries again what was not taken', async (t) => {
  const { pending, server } = open();
  server.isTaking = false;
  pending.add([changeOf(1)]);
  await setImmediate();
  await setImmediate();
  server.isTaking = true;
  await until('it is sent', () => server.sent.length === 1);
  t.same(server.sent, [1]);
});

t.test('tells that the oldest had to make room', async (t) => {
  const { pending, server } = open(4);
  server.isUp = false;
  pending.add([1, 2, 3, 4, 5].map(changeOf));
  t.equal(server.lost, 1);
  server.isUp = true;
  pending.retry();
  await until('the others are sent', () => server.sent.length === 3);
  t.same(server.sent, [3, 4, 5]);
});

t.test('gives up what is to be forgotten', async (t) => {
  const { pending, server } = open();
  server.isUp = false;
  pending.add([changeOf(1), changeOf(2)]);
  pending.drop([
    { part: 'device', hash: '1' },
    { part: 'ip', hash: '2' },
  ]);
  server.isUp = true;
  pending.retry();
  await until('the other is sent', () => server.sent.length === 1);
  t.same(server.sent, [2]);
});
