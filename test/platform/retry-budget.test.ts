import t from 'tap';
import { createRetryBudget } from '../../src/platform/retry-budget.ts';

function open() {
  let nowMs = 0;
  const budget = createRetryBudget(() => nowMs);
  const call = (count: number) => {
    for (let index = 0; index < count; index += 1) budget.onCall();
  };
  /** How many retries are granted before one is refused. */
  const drain = () => {
    let granted = 0;
    while (granted < 1_000 && budget.tryTake()) granted += 1;
    return granted;
  };
  return {
    call,
    drain,
    advance: (ms: number) => {
      nowMs += ms;
    },
  };
}

t.test('grants ten retries to a service with few calls', async (t) => {
  const { call, drain } = open();
  t.equal(drain(), 10);
  call(50);
  t.equal(drain(), 0);
});

t.test('grants one retry for ten calls', async (t) => {
  const { call, drain } = open();
  call(1_000);
  t.equal(drain(), 100);
  call(10);
  t.equal(drain(), 1);
});

t.test('forgets what is ten seconds old, and nothing that is younger', async (t) => {
  const { call, drain, advance } = open();
  call(1_000);
  t.equal(drain(), 100);
  advance(9_999);
  t.equal(drain(), 0);
  advance(1);
  t.equal(drain(), 10);
  advance(3_600_000);
  t.equal(drain(), 10, 'after an hour without a call');
});
