import t from 'tap';
import { afterServedTime, servedMs } from '../../src/platform/served-time.ts';

function hold(ms: number): void {
  const untilMs = performance.now() + ms;
  while (performance.now() < untilMs);
}

t.test('calls back once the time has passed', async (t) => {
  await new Promise<void>((resolve) => void afterServedTime(5, resolve));
  t.pass('it did');
});

t.test('gives back the time in which the event loop was held', async (t) => {
  const order: string[] = [];
  const over = new Promise<void>((resolve) => {
    afterServedTime(50, () => {
      order.push('over');
      resolve();
    });
  });
  hold(200);
  // A plain timer that begins after the pause comes first, since none of the pause has counted.
  setTimeout(() => order.push('plain'), 20);
  await over;
  t.same(order, ['plain', 'over']);
});

t.test('does not call back once it is cancelled, not even in its last turn', async (t) => {
  let isCalled = false;
  const cancel = afterServedTime(1, () => {
    isCalled = true;
  });
  const cancelled = new Promise<void>((resolve) => {
    setTimeout(() => {
      cancel();
      setImmediate(() => setImmediate(resolve));
    }, 1);
  });
  // Both timers are then due in one turn, the first before the second.
  hold(5);
  await cancelled;
  t.equal(isCalled, false);
});

t.test('counts a step of each of many short pauses, one after the other', async (t) => {
  let isOver = false;
  const over = new Promise<void>((resolve) => {
    afterServedTime(24, () => {
      isOver = true;
      resolve();
    });
  });
  const startedMs = performance.now();
  // Each is shorter than the wait, and ends before it would be over.
  for (let pause = 0; pause < 5; pause += 1) {
    hold(20);
    await new Promise((resolve) => setTimeout(resolve, 0));
  }
  t.ok(performance.now() - startedMs >= 100);
  t.equal(isOver, false, 'of which a step each was free');
  await over;
});

t.test('ends at last in a process that stands still all the time', async (t) => {
  const wait = { isOver: false };
  afterServedTime(20, () => {
    wait.isOver = true;
  });
  let pauses = 0;
  while (!wait.isOver) {
    hold(100);
    pauses += 1;
    await new Promise((resolve) => setImmediate(resolve));
  }
  t.ok(pauses >= 6 && pauses <= 20, `${pauses} pauses`);
});

t.test('stands while nobody waits', async (t) => {
  await new Promise<void>((resolve) => void afterServedTime(1, resolve));
  // The step after the last wait finds that there is none.
  await new Promise((resolve) => setTimeout(resolve, 20));
  const standingMs = servedMs();
  hold(20);
  t.equal(servedMs(), standingMs);
});

t.test('reads what arrives in several turns, however long the first one was', async (t) => {
  let isOver = false;
  afterServedTime(25, () => {
    isOver = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  hold(1_000);
  for (let turn = 0; turn < 4; turn += 1) {
    t.equal(isOver, false);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
});
