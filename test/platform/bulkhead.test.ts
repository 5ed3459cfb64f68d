import t from 'tap';
import { createBulkhead } from '../../src/platform/bulkhead.ts';

/** Tasks that end when they are told to, and the order in which they began. */
function createTasks() {
  const begun: string[] = [];
  const gates = new Map<string, PromiseWithResolvers<string>>();
  const task = (name: string) => () => {
    begun.push(name);
    const gate = Promise.withResolvers<string>();
    gates.set(name, gate);
    return gate.promise;
  };
  return {
    begun,
    task,
    end: (name: string) => gates.get(name)?.resolve(name),
    fail: (name: string) => gates.get(name)?.reject(new Error(name)),
  };
}

t.test('runs what there is room for, queues what may wait, and refuses the rest', async (t) => {
  const { begun, task, end } = createTasks();
  const { run } = createBulkhead(2, 1);
  const a = run(task('a'));
  const b = run(task('b'));
  const c = run(task('c'));
  t.equal(run(task('d')), null);
  t.same(begun, ['a', 'b']);
  end('a');
  t.equal(await a, 'a');
  t.same(begun, ['a', 'b', 'c']);
  t.equal(run(task('d')) === null, false, 'the queue has room again');
  end('b');
  end('c');
  t.same([await b, await c], ['b', 'c']);
});

t.test('serves those that wait in their order, before any newcomer', async (t) => {
  const { begun, task, end } = createTasks();
  const { run } = createBulkhead(1, 9);
  const first = run(task('first'));
  const others = [run(task('second')), run(task('third'))];
  end('first');
  await first;
  others.push(run(task('fourth')));
  for (const name of ['second', 'third', 'fourth']) {
    end(name);
    await others.shift();
  }
  t.same(begun, ['first', 'second', 'third', 'fourth']);
});

t.test('gives the place on when a task fails, at once or later', async (t) => {
  const { task, fail, end } = createTasks();
  const { run } = createBulkhead(1, 9);
  const failing = run(task('failing'));
  const throwing = run(() => {
    throw new Error('thrown');
  });
  const last = run(task('last'));
  fail('failing');
  await t.rejects(Promise.resolve(failing), /failing/);
  await t.rejects(Promise.resolve(throwing), /thrown/);
  end('last');
  t.equal(await last, 'last');
});
