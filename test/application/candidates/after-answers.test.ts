import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { createAfterAnswers } from '../../../src/application/candidates/after-answers.ts';

function open(waitingMax: number, clock = { monotonicMs: () => 0 }) {
  const errors: unknown[] = [];
  const done: number[] = [];
  const queue = createAfterAnswers({ waitingMax, clock, onError: (error) => errors.push(error) });
  const put = (number: number) =>
    queue.add(() => {
      done.push(number);
      return undefined;
    });
  return { queue, put, done, errors };
}

t.test('works in a later turn, in order', async (t) => {
  const { put, done, queue } = open(10);
  t.ok(put(1));
  t.ok(put(2));
  t.same(done, [], 'not before the answer');
  t.equal(queue.waiting(), 2);
  await nextTurn();
  await nextTurn();
  t.same(done, [1, 2]);
  t.equal(queue.waiting(), 0);
});

t.test('takes no more than may wait', async (t) => {
  const { put, done, queue } = open(2);
  t.same([put(1), put(2), put(3)], [true, true, false]);
  queue.flush();
  t.same(done, [1, 2]);
  t.ok(put(4), 'there is room again');
  await queue.drain();
  t.same(done, [1, 2, 4]);
});

t.test('lets the event loop go on between pieces that take long', async (t) => {
  let now = 0;
  const { put, done } = open(10, { monotonicMs: () => (now += 2) });
  for (const number of [1, 2, 3]) put(number);
  await nextTurn();
  t.ok(done.length < 3, 'it did not work to the end');
  for (let turn = 0; turn < 6; turn += 1) await nextTurn();
  t.same(done, [1, 2, 3]);
});

t.test('forgets what is done though the queue is never empty', async (t) => {
  let now = 0;
  const { queue, done } = open(4_000, { monotonicMs: () => (now += 0.001) });
  let added = 0;
  const again = () => {
    done.push(added);
    if (added < 5_000) {
      added += 1;
      queue.add(() => {
        again();
        return undefined;
      });
    }
    return undefined;
  };
  for (let number = 0; number < 10; number += 1) queue.add(again);
  await queue.drain();
  t.equal(queue.waiting(), 0);
  t.ok(done.length >= 5_000);
});

t.test('counts what is under way, and waits for it at the end', async (t) => {
  const { queue, put } = open(2);
  const gate = Promise.withResolvers<void>();
  let isDone = false;
  queue.add(() =>
    gate.promise.then(() => {
      isDone = true;
    }),
  );
  queue.flush();
  t.equal(queue.waiting(), 1);
  t.same([put(1), put(2)], [true, false]);
  const drained = queue.drain();
  gate.resolve();
  await drained;
  t.ok(isDone);
});

t.test('goes on after work that throws or rejects', async (t) => {
  const { queue, put, done, errors } = open(10);
  queue.add(() => {
    throw new Error('thrown');
  });
  queue.add(() => Promise.reject(new Error('rejected')));
  put(1);
  await queue.drain();
  t.same(done, [1]);
  t.same(errors.map(String), ['Error: thrown', 'Error: rejected']);
  t.equal(queue.waiting(), 0);
});
