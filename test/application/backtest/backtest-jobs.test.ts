import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import {
  type BacktestQuestion,
  createBacktestJobs,
  type RunBacktest,
} from '../../../src/application/backtest/backtest-jobs.ts';
import { type BacktestTally, createTally } from '../../../src/domain/backtest/tally.ts';

const QUESTION: BacktestQuestion = { policy: 'policy: x', hash: 'sha256:x', filter: {}, costs: null };

/** Jobs whose run waits to be ended by the test. */
function open(timeoutMs?: number) {
  let nowMs = 1_000;
  let ids = 0;
  const failures: unknown[] = [];
  const runs: {
    resolve: (tally: BacktestTally) => void;
    reject: (error: Error) => void;
    signal: AbortSignal;
  }[] = [];
  const run: RunBacktest = (_question, { signal, onProgress }) => {
    onProgress(7);
    const { promise, resolve, reject } = Promise.withResolvers<BacktestTally>();
    runs.push({ resolve, reject, signal });
    signal.addEventListener('abort', () => reject(new Error('ended')));
    return promise;
  };
  const jobs = createBacktestJobs({
    run,
    clock: { nowMs: () => nowMs, monotonicMs: () => nowMs },
    newId: () => {
      ids += 1;
      return `id-${ids}`;
    },
    onFailed: (error) => void failures.push(error),
    ...(timeoutMs !== undefined && { timeoutMs }),
  });
  const pass = () => {
    nowMs += 500;
  };
  return { jobs, runs, failures, pass };
}

t.test('runs one at a time, and shows how far it is and what it found', async (t) => {
  const { jobs, runs, pass } = open();
  t.match(jobs.begin(QUESTION, 'analyst'), {
    id: 'id-1',
    caller: 'analyst',
    hash: 'sha256:x',
    state: 'running',
    beganAtMs: 1_000,
    endedAtMs: null,
    report: null,
  });
  t.match(jobs.find('id-1'), { entries: 7, state: 'running' });
  t.throws(() => jobs.begin(QUESTION, 'analyst'), { code: 'conflict' });
  pass();
  runs[0]?.resolve({ ...createTally(), decisions: 3 });
  await nextTurn();
  t.match(jobs.find('id-1'), { state: 'done', endedAtMs: 1_500, report: { decisions: 3 } });
  t.match(jobs.cancel('id-1'), { state: 'done' }, 'it has ended');
  t.match(jobs.begin(QUESTION, 'analyst'), { id: 'id-2' });
  t.equal(jobs.find('id-9'), null);
  t.equal(jobs.cancel('id-9'), null);
});

t.test('cancels what is running, and takes nothing of it', async (t) => {
  const { jobs, runs, failures } = open();
  jobs.begin(QUESTION, 'analyst');
  t.match(jobs.cancel('id-1'), { state: 'cancelled', endedAtMs: 1_000 });
  t.equal(runs[0]?.signal.aborted, true);
  jobs.begin(QUESTION, 'analyst');
  t.match(jobs.cancel('id-2'), { state: 'cancelled' });
  runs[1]?.resolve(createTally());
  await nextTurn();
  t.match(jobs.find('id-2'), { state: 'cancelled', report: null });
  t.same(failures, []);
});

t.test('leaves one cancelled that ends all the same', async (t) => {
  let finish: (tally: BacktestTally) => void = () => {};
  const jobs = createBacktestJobs({
    run: () => {
      const { promise, resolve } = Promise.withResolvers<BacktestTally>();
      finish = resolve;
      return promise;
    },
    clock: { nowMs: () => 1, monotonicMs: () => 1 },
    newId: () => 'id',
    onFailed: () => t.fail(),
  });
  jobs.begin(QUESTION, 'analyst');
  jobs.cancel('id');
  finish(createTally());
  await nextTurn();
  t.match(jobs.find('id'), { state: 'cancelled', report: null });
});

t.test('tells of what failed, and of what took too long', async (t) => {
  const { jobs, runs, failures } = open();
  jobs.begin(QUESTION, 'analyst');
  runs[0]?.reject(new Error('damaged'));
  await nextTurn();
  t.match(jobs.find('id-1'), { state: 'failed', report: null });
  t.match(failures, [{ message: 'damaged' }]);
  const late = open(1);
  late.jobs.begin(QUESTION, 'analyst');
  while (late.jobs.find('id-1')?.state === 'running') await nextTurn();
  t.match(late.jobs.find('id-1'), { state: 'failed' });
});

t.test('keeps the latest, and begins none when it is closed', async (t) => {
  const { jobs, runs } = open();
  for (let n = 0; n < 22; n += 1) {
    jobs.begin(QUESTION, 'analyst');
    runs[n]?.resolve(createTally());
    await nextTurn();
  }
  t.equal(jobs.find('id-2'), null);
  t.match(jobs.find('id-3'), { state: 'done' });
  jobs.begin(QUESTION, 'analyst');
  jobs.close();
  t.match(jobs.find('id-23'), { state: 'cancelled' });
  t.throws(() => jobs.begin(QUESTION, 'analyst'), { code: 'conflict' });
  const idle = open();
  idle.jobs.close();
  t.throws(() => idle.jobs.begin(QUESTION, 'analyst'), { code: 'conflict' });
});
