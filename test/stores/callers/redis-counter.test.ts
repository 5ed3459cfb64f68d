import t from 'tap';
import { createRedisRequestCounter } from '../../../src/stores/callers/redis-counter.ts';
import { startRedisServer } from '../../support/redis-server.ts';
import { createManualClock } from '../../support/test-app.ts';
import { openRedisHandle } from '../redis/open-redis-handle.ts';

const WINDOW_MS = 60_000;
const server = await startRedisServer(t);

/** How often the script ran, and how many places it gave, on two replicas that count 600 requests each. */
for (const [max, callsMax] of [
  [150, 1200],
  [1_000, 400],
  [1_000_000, 60],
] as const) {
  t.test(`gives each place of ${max} once, on two replicas, in few commands`, async (t) => {
    await server.command('FLUSHALL');
    await server.command('CONFIG RESETSTAT');
    const clock = createManualClock();
    const counters = await Promise.all(
      [1, 2].map(async () => createRedisRequestCounter(await openRedisHandle(t, { url: server.url }), clock)),
    );
    const places: number[] = [];
    for (let round = 0; round < 30; round += 1) {
      const counted = counters.flatMap((counter) =>
        Array.from({ length: 20 }, async () => counter.count('a', WINDOW_MS, max)),
      );
      for (const window of await Promise.all(counted)) places.push(window?.count ?? 0);
    }
    t.equal(places.length, 1200);
    t.equal(new Set(places).size, 1200, 'no place twice');
    t.ok(Math.min(...places) === 1);
    const given = places.filter((place) => place <= max).length;
    t.ok(given <= max && given >= Math.min(1200, max) * 0.95, `${given} of ${max}`);
    const [, calls = '0'] =
      /cmdstat_incrby:calls=(\d+)/.exec(await server.command('INFO commandstats')) ?? [];
    t.ok(Number(calls) > 0 && Number(calls) <= callsMax, `${calls} commands`);
  });
}

t.test('starts over when the window is over, whatever is held', async (t) => {
  const clock = createManualClock();
  const counter = createRedisRequestCounter(await openRedisHandle(t, { url: server.url }), clock);
  t.match(await counter.count('b', WINDOW_MS, 1_000), { count: 1 });
  t.match(counter.count('b', WINDOW_MS, 1_000), { count: 2 }, 'in place');
  clock.advance(WINDOW_MS + 1);
  await server.command('FLUSHALL');
  t.match(await counter.count('b', WINDOW_MS, 1_000), { count: 1 });
});

t.test('gives a counter an end that somebody has left without one', async (t) => {
  const counter = createRedisRequestCounter(
    await openRedisHandle(t, { url: server.url }),
    createManualClock(),
  );
  await server.command('SET riskgate:v1:requests:c:60000 7');
  const counted = await counter.count('c', WINDOW_MS, 100);
  t.match(counted, { count: 8 });
  t.ok((counted?.leftMs ?? 0) > 0);
  t.notMatch(await server.command('PTTL riskgate:v1:requests:c:60000'), ':-1');
});
