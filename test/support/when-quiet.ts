import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';

/** Asked before and after each attempt. */
export interface Machine {
  /**
   * Milliseconds for which this thread was ready to run and got no processor, since any moment; 0 where the
   * system does not say.
   */
  waitedMs(): number;
  /** Programs that want to run, for each processor, of late. */
  load(): number;
  nowMs(): number;
  /** Resolves once it has become quiet, or some seconds later. */
  rest(): Promise<void>;
  /** True where nobody looks at what is omitted: there, a machine that is too busy is a failure. */
  readonly isStrict: boolean;
}

export const ATTEMPTS_MAX = 5;
/**
 * A machine with nothing else to do keeps a thread waiting for 1 % of the time, one with two programs for
 * each processor for 30 %.
 */
const WAITED_SHARE_MAX = 0.1;
const LOAD_MAX = 1.5;
/**
 * Late answers on a quiet machine that count. One alone may be another machine's doing: what the host of a virtual
 * one takes is seen by nobody. What is late by its own fault is so again.
 */
const LATE_MAX = 2;
/** So long it is waited for what else runs to end: all attempts of a file have to fit into its time. */
const REST_MS_MAX = 5_000;
/** How often the share is looked at in a row, and how long after one another: some 300 ms. */
const [LOOKS, LOOK_MS] = [60, 5] as const;

/**
 * A test about time, which needs a quiet machine: `attempt` returns what was late, nothing when all was in
 * time. On a quiet machine it fails when it is late twice. On a busy one it is repeated after a rest, which the
 * report says; where the machine is busy to the end, the test is omitted with that reason, and in CI it fails.
 */
export async function whenQuiet(
  t: Pick<Test, 'comment' | 'fail' | 'pass'>,
  attempt: () => Promise<readonly string[]>,
  machine: Machine = thisMachine,
): Promise<void> {
  let late: readonly string[] = [];
  let lateWhenQuiet = 0;
  for (let count = 1; count <= ATTEMPTS_MAX; count += 1) {
    const [beganMs, waitedMs] = [machine.nowMs(), machine.waitedMs()];
    late = await attempt();
    if (late.length === 0) {
      t.pass('in time');
      return;
    }
    const share = shareSince(machine, beganMs, waitedMs);
    const isBusy = share > WAITED_SHARE_MAX || machine.load() > LOAD_MAX;
    lateWhenQuiet += isBusy ? 0 : 1;
    if (lateWhenQuiet === LATE_MAX) {
      for (const mistake of late) t.fail(mistake);
      return;
    }
    const state = isBusy ? 'busy' : 'quiet';
    t.comment(
      `attempt ${count} on a ${state} machine, waiting for ${Math.round(share * 100)} %: ${late.join('; ')}`,
    );
    if (count < ATTEMPTS_MAX) await machine.rest();
  }
  const reason = `the machine was busy in all of ${ATTEMPTS_MAX} attempts: ${late.join('; ')}`;
  if (machine.isStrict) t.fail(reason);
  else t.pass('in time', { skip: reason });
}

function shareSince(machine: Pick<Machine, 'nowMs' | 'waitedMs'>, beganMs: number, waitedMs: number): number {
  return (machine.waitedMs() - waitedMs) / Math.max(1, machine.nowMs() - beganMs);
}

/** Looks often, since a thread that sleeps waits for no processor. */
async function restOn(machine: Pick<Machine, 'nowMs' | 'waitedMs'>): Promise<void> {
  const endsAtMs = machine.nowMs() + REST_MS_MAX;
  while (machine.nowMs() < endsAtMs) {
    const [beganMs, waitedMs] = [machine.nowMs(), machine.waitedMs()];
    for (let look = 0; look < LOOKS; look += 1) await delay(LOOK_MS);
    if (shareSince(machine, beganMs, waitedMs) <= WAITED_SHARE_MAX) return;
  }
}

const thisMachine: Machine = {
  waitedMs: () => {
    try {
      return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ')[1]) / 1e6;
    } catch {
      // ENOENT: another system.
      return 0;
    }
  },
  load: () => (loadavg()[0] ?? 0) / availableParallelism(),
  nowMs: () => performance.now(),
  rest: () => restOn(thisMachine),
  isStrict: process.env['CI'] === 'true',
};
