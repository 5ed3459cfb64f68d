import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
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
 * A test about time, which needs a quiet machine: `attempt` returns what was late, nothing when all was in
 * time. On a quiet machine its first answer counts. On a busy one it is repeated, which the report says;
 * where the machine is busy to the end, the test is omitted with that reason, and in CI it fails.
 */
export async function whenQuiet(
  t: Pick<Test, 'comment' | 'fail' | 'pass'>,
  attempt: () => Promise<readonly string[]>,
  machine: Machine = thisMachine,
): Promise<void> {
  let late: readonly string[] = [];
  for (let count = 1; count <= ATTEMPTS_MAX; count += 1) {
    const [beganMs, waitedMs] = [machine.nowMs(), machine.waitedMs()];
    late = await attempt();
    if (late.length === 0) {
      t.pass('in time');
      return;
    }
    const share = (machine.waitedMs() - waitedMs) / Math.max(1, machine.nowMs() - beganMs);
    const isBusy = share > WAITED_SHARE_MAX || machine.load() > LOAD_MAX;
    if (!isBusy) {
      for (const mistake of late) t.fail(mistake);
      return;
    }
    t.comment(
      `attempt ${count} on a busy machine, waiting for ${Math.round(share * 100)} %: ${late.join('; ')}`,
    );
  }
  const reason = `the machine was busy in all of ${ATTEMPTS_MAX} attempts: ${late.join('; ')}`;
  if (machine.isStrict) t.fail(reason);
  else t.pass('in time', { skip: reason });
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
  isStrict: process.env['CI'] === 'true',
};
