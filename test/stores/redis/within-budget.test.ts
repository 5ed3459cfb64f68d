import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import t from 'tap';
import { servedMs } from '../../../src/platform/served-time.ts';
import { LATE, withinBudget } from '../../../src/stores/redis/within-budget.ts';

t.test('resolves and rejects as the work does', async (t) => {
  t.equal(await withinBudget(Promise.resolve(7), 1_000), 7);
  await t.rejects(withinBudget(Promise.reject(new Error('no')), 1_000), { message: 'no' });
});

t.test('resolves LATE for work that does not end', async (t) => {
  t.equal(await withinBudget(new Promise(() => {}), 5), LATE);
});

t.test('leaves a late rejection to nobody', async (t) => {
  const unhandled: unknown[] = [];
  const listener = (reason: unknown) => unhandled.push(reason);
  process.on('unhandledRejection', listener);
  const work = Promise.withResolvers<void>();
  t.equal(await withinBudget(work.promise, 5), LATE);
  work.reject(new Error('late'));
  await new Promise((resolve) => setImmediate(resolve));
  process.off('unhandledRejection', listener);
  t.same(unhandled, []);
});

t.test('does not call late what lay waiting while this process was busy', async (t) => {
  const server = createServer((socket) => socket.write('reply')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => server.close());
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('not listening');
  const socket = connect(address.port, '127.0.0.1');
  t.teardown(() => socket.destroy());
  await once(socket, 'connect');
  const reply = once(socket, 'data').then(() => 'reply');
  const outcome = withinBudget(reply, 20);
  // The server runs in this process too, so it gets its turn before the long one.
  await new Promise((resolve) => setImmediate(resolve));
  const busyUntilMs = performance.now() + 100;
  while (performance.now() < busyUntilMs);
  t.equal(await outcome, 'reply');
});

t.test('begins to count with the last sign of life, which says that it was not its turn yet', async (t) => {
  const work = Promise.withResolvers<string>();
  let signMs = 0;
  const outcome = withinBudget(work.promise, 20, () => signMs);
  const signs = setInterval(() => {
    signMs = servedMs();
  }, 1);
  const startedMs = servedMs();
  // By the clock of the budget this is three times as long.
  while (servedMs() - startedMs < 60) await new Promise((resolve) => setTimeout(resolve, 1));
  clearInterval(signs);
  work.resolve('reply');
  t.equal(await outcome, 'reply');
});

t.test('waits no longer for what went before than eight budgets', async (t) => {
  const signs = servedMs;
  t.equal(await withinBudget(new Promise(() => {}), 3, signs), LATE);
});
