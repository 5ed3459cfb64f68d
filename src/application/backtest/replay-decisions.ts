import {
  type DifferenceCause,
  type ReplayDifference,
  replayRecord,
} from '../../domain/backtest/replay-record.ts';
import type { DecisionRecord } from '../../domain/decision-log/decision-record.ts';
import type { LabelledRecord } from '../../domain/decision-log/record-columns.ts';
import type { PolicyOf } from './policy-of.ts';

/** What came of judging kept decisions again. */
export interface ReplayReport {
  /** Decisions; gaps and events are not among them. */
  readonly decisions: number;
  readonly same: number;
  readonly different: number;
  /** Of those that differ, how many for each cause. */
  readonly causes: ReadonlyMap<DifferenceCause, number>;
  /** The first that differs, in the order in which they were read. */
  readonly first: ReplayDifference | null;
  /** How many could not be judged, by the reason. */
  readonly notReplayable: ReadonlyMap<string, number>;
}

interface Replay {
  /** Pages of a log. */
  readonly pages: AsyncIterable<readonly Pick<LabelledRecord, 'record'>[]>;
  readonly policyOf: PolicyOf;
  /** Ends the replay with what was judged until then. */
  readonly signal?: AbortSignal;
}

/** A decision that was made before any rule was asked, as where ids can be read in two ways. */
const NOT_JUDGED = 'no rule was asked';

/** Judges kept decisions again by the policies that they were made with. Rejects with what reading rejects with. */
export async function replayDecisions({ pages, policyOf, signal }: Replay): Promise<ReplayReport> {
  const counts = { decisions: 0, same: 0, different: 0 };
  const notReplayable = new Map<string, number>();
  const causes = new Map<DifferenceCause, number>();
  let first: ReplayDifference | null = null;
  const replay = async (record: DecisionRecord): Promise<string | null> => {
    if (record.rules.length === 0) return NOT_JUDGED;
    const found = await policyOf(record.policy.hash);
    if (!found.ok) return found.why;
    const replayed = replayRecord(found.policy, record);
    if (replayed.kind === 'not_recorded') return toNotRecorded(replayed.names);
    counts[replayed.kind] += 1;
    if (replayed.kind === 'same') return null;
    first ??= replayed.difference;
    raise(causes, replayed.difference.cause);
    return null;
  };
  for await (const page of pages) {
    if (signal?.aborted === true) break;
    for (const { record } of page) {
      if (record.kind !== 'decision') continue;
      counts.decisions += 1;
      const why = await replay(record);
      if (why !== null) raise(notReplayable, why);
    }
  }
  return { ...counts, causes, first, notReplayable };
}

function raise<Name>(counts: Map<Name, number>, name: Name): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}

/** Why a record cannot be judged that lacks what these names stand for. */
function toNotRecorded(names: readonly string[]): string {
  return names.map((name) => `${name} was not recorded`).join(', ');
}
