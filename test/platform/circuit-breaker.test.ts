import t from 'tap';
import { type CallMark, createCircuitBreaker } from '../../src/platform/circuit-breaker.ts';

function open() {
  let nowMs = 0;
  const states: string[] = [];
  const breaker = createCircuitBreaker({
    monotonicMs: () => nowMs,
    onStateChange: (state) => states.push(state),
  });
  let calls = 0;
  const run = (mark: CallMark) =>
    breaker.run(
      async () => {
        calls += 1;
        return mark;
      },
      (value) => value,
    );
  const runAll = async (...marks: readonly CallMark[]) => {
    for (const mark of marks) await run(mark);
  };
  const times = (count: number, mark: CallMark) => runAll(...Array.from({ length: count }, () => mark));
  return {
    breaker,
    states,
    run,
    runAll,
    times,
    calls: () => calls,
    advance: (ms: number) => {
      nowMs += ms;
    },
  };
}

t.test('opens when more than half of ten calls have failed, and not before', async (t) => {
  const { breaker, times, states } = open();
  await times(9, 'failure');
  t.notOk(breaker.refuses());
  await times(1, 'failure');
  t.ok(breaker.refuses());
  t.same(states, ['open']);
});

t.test('stays closed while half of the calls succeed', async (t) => {
  const { breaker, runAll } = open();
  for (let round = 0; round < 50; round += 1) await runAll('success', 'failure');
  t.equal(breaker.state(), 'closed');
  for (let round = 0; round < 50; round += 1) await runAll('failure', 'failure', 'success');
  t.equal(breaker.state(), 'open', 'and opens while two of three fail, although never many in a row');
});

t.test('counts neither way what is neutral', async (t) => {
  const { breaker, times } = open();
  await times(9, 'failure');
  await times(100, 'neutral');
  t.equal(breaker.state(), 'closed');
  await times(1, 'failure');
  t.equal(breaker.state(), 'open', 'and what is neutral does not hide an outage');
});

t.test('makes no call while it is open, and says so without a promise', async (t) => {
  const { run, times, calls } = open();
  await times(10, 'failure');
  t.equal(run('success'), null);
  t.equal(calls(), 10);
});

t.test(
  'lets one call through after the pause, refuses others meanwhile, and closes on success',
  async (t) => {
    const { breaker, run, times, calls, advance, states } = open();
    await times(10, 'failure');
    advance(999);
    t.equal(run('success'), null);
    advance(1);
    const probe = run('success');
    t.ok(probe instanceof Promise);
    for (let index = 0; index < 100; index += 1) t.equal(run('success'), null);
    await probe;
    t.equal(calls(), 11);
    t.notOk(breaker.refuses());
    t.same(states, ['open', 'half_open', 'closed']);
    await times(8, 'failure');
    t.equal(breaker.state(), 'closed', 'and it starts to count again');
  },
);

t.test('waits twice as long after each probe that fails, and never more than eight seconds', async (t) => {
  const { breaker, run, times, advance } = open();
  await times(10, 'failure');
  for (const pauseMs of [1_000, 2_000, 4_000, 8_000, 8_000, 8_000]) {
    advance(pauseMs - 1);
    t.equal(run('failure'), null, `${pauseMs}`);
    advance(1);
    await run('failure');
    t.equal(breaker.state(), 'open');
  }
  advance(8_000);
  await run('success');
  await times(10, 'failure');
  advance(1_000);
  t.notOk(breaker.refuses(), 'and one second again after it was closed');
});

t.test('takes a neutral answer to a probe for a sign of life', async (t) => {
  const { breaker, run, times, advance } = open();
  await times(10, 'failure');
  advance(1_000);
  await run('neutral');
  t.equal(breaker.state(), 'closed');
});

t.test('does not listen to calls that began before it changed', async (t) => {
  const { breaker, run, times, advance } = open();
  const late = Promise.withResolvers<CallMark>();
  const stale = Array.from({ length: 30 }, () =>
    breaker.run(
      () => late.promise,
      (mark) => mark,
    ),
  );
  await times(10, 'failure');
  advance(1_000);
  const pending = Promise.withResolvers<CallMark>();
  const probe = breaker.run(
    () => pending.promise,
    (mark) => mark,
  );
  late.resolve('failure');
  for (const call of stale) await call;
  t.equal(breaker.state(), 'half_open', 'late failures do not end the probe');
  pending.resolve('success');
  await probe;
  t.equal(breaker.state(), 'closed');
  await run('success');
});

t.test('rejects as the call does, and counts that as neutral', async (t) => {
  const { breaker } = open();
  for (let index = 0; index < 30; index += 1) {
    const made = breaker.run(
      () => Promise.reject(new Error('a defect')),
      () => 'success',
    );
    await t.rejects(Promise.resolve(made), /a defect/);
  }
  t.equal(breaker.state(), 'closed');
});
