import t from 'tap';
import { afterServedTime } from '../../src/platform/served-time.ts';

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
