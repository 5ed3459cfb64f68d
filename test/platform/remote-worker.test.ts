import t from 'tap';
import { createRemoteWorker } from '../../src/platform/remote-worker.ts';
import type { EchoThread } from '../support/echo-worker.ts';

const ECHO = new URL('../support/echo-worker.ts', import.meta.url);

t.test('answers calls in their order, with what the thread was started with', async (t) => {
  const worker = createRemoteWorker<EchoThread>(ECHO, { greeting: 'hello' });
  t.teardown(() => worker.close());
  const said = await Promise.all([worker.call('greet', 'a'), worker.call('greet', 'b')]);
  t.same(said, ['hello a 1', 'hello b 2']);
});

t.test('rejects with the code of what was thrown, and goes on', async (t) => {
  const worker = createRemoteWorker<EchoThread>(ECHO, { greeting: 'hello' });
  t.teardown(() => worker.close());
  await t.rejects(worker.call('fail', 'ENOSPC'), { code: 'ENOSPC' });
  t.equal(await worker.call('greet', 'a'), 'hello a 1');
});

t.test('starts another thread when one has ended', async (t) => {
  const worker = createRemoteWorker<EchoThread>(ECHO, { greeting: 'hello' });
  t.teardown(() => worker.close());
  const lost = [worker.call('end'), worker.call('greet', 'a')];
  for (const call of lost) await t.rejects(call, { code: 'WORKER_LOST' });
  t.equal(await worker.call('greet', 'b'), 'hello b 1');
});

t.test('closes after the calls under way, and again', async (t) => {
  const worker = createRemoteWorker<EchoThread>(ECHO, { greeting: 'hello' });
  const said = worker.call('greet', 'a');
  await worker.close();
  t.equal(await said, 'hello a 1');
  await t.resolves(worker.close());
});

t.test('rejects where the thread cannot be started', async (t) => {
  const worker = createRemoteWorker<EchoThread>(new URL('./missing.ts', import.meta.url), null);
  t.teardown(() => worker.close());
  await t.rejects(worker.call('greet', 'a'), { code: 'WORKER_LOST' });
  const unclonable = createRemoteWorker<EchoThread>(ECHO, { greeting: () => 'hello' });
  await t.rejects(unclonable.call('greet', 'a'), { code: /\w/ });
  await unclonable.close();
});

t.test('ends a thread that takes more memory than it may, and not the process', async (t) => {
  const worker = createRemoteWorker<EchoThread>(ECHO, { greeting: 'hello' }, { heapMbMax: 16 });
  t.teardown(() => worker.close());
  await t.rejects(worker.call('hold', 64), { code: 'WORKER_LOST' });
  t.equal(await worker.call('greet', 'b'), 'hello b 1');
});
