import t from 'tap';
import { SummaryPace } from '../../../../src/stores/decision-log/sqlite/summary-pace.ts';

// A pause alone keeps no process.
const alive = setInterval(() => {}, 1_000);
t.teardown(() => clearInterval(alive));

t.test('makes one after the other until there is none to make', async (t) => {
  let left = 3;
  const pace = new SummaryPace(async () => {
    left -= 1;
    return left > 0;
  });
  await Promise.all([pace.makeAll(), pace.makeAll()]);
  t.equal(left, 0);
  await pace.makeAll();
  t.equal(left, -1, 'and looks again when it is asked again');
});

t.test('ends with a failure, and tries again when it is asked again', async (t) => {
  let tries = 0;
  const pace = new SummaryPace(async () => {
    tries += 1;
    throw new Error('the disk is full');
  });
  await pace.makeAll();
  await pace.makeAll();
  t.equal(tries, 2);
});

t.test('makes no more once it is stopped', async (t) => {
  let made = 0;
  const pace = new SummaryPace(async () => {
    made += 1;
    if (made === 2) pace.stop();
    return true;
  });
  await pace.makeAll();
  await pace.makeAll();
  t.equal(made, 2);
});
