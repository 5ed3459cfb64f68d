import {
  type BacktestOutcome,
  countedRules,
  judgeRecord,
  readsParameters,
} from '../../domain/backtest/judge-record.ts';
import { addChanged, addGroup, type BacktestTally } from '../../domain/backtest/tally.ts';
import type { DecisionRecord } from '../../domain/decision-log/decision-record.ts';
import { type Label, labelInForce } from '../../domain/decision-log/outcome-label.ts';
import type { LabelledRecord } from '../../domain/decision-log/record-columns.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import type { PolicyOf } from './policy-of.ts';

interface Backtest {
  /** Decisions that match, and what else stands among them. */
  readonly pages: AsyncIterable<readonly LabelledRecord[]>;
  readonly candidate: CompiledPolicy;
  readonly policyOf: PolicyOf;
  /** Told how many decisions were judged since it was told before. Throws to end the backtest. */
  readonly onProgress: (decisions: number) => void;
}

const HOUR_MS = 3_600_000;

/** Judges kept decisions by a candidate, one by one. Rejects with what reading, or `onProgress`, does. */
export async function backtestDecisions(
  { pages, candidate, policyOf, onProgress }: Backtest,
  tally: BacktestTally,
): Promise<void> {
  const needsOwn = readsParameters(candidate);
  for await (const page of pages) {
    let decisions = 0;
    for (const { record, labels } of page) {
      if (record.kind !== 'decision') continue;
      const own = needsOwn ? await policyOf(record.policy.hash) : null;
      const outcome = judgeRecord(candidate, record, own?.ok === true ? own.policy : null);
      addDecision(tally, record, labelInForce(labels), outcome);
      decisions += 1;
    }
    onProgress(decisions);
  }
}

/** Counts one decision. */
function addDecision(
  tally: BacktestTally,
  record: DecisionRecord,
  label: Label | null,
  outcome: BacktestOutcome,
): void {
  const { decision: verdict, caller, action, decided_at, decision_id: id, subject } = record;
  const hourMs = Math.floor(Date.parse(decided_at) / HOUR_MS) * HOUR_MS;
  const rules = countedRules(record);
  addGroup(tally, { verdict, rules, caller, action, hourMs, label, outcome }, 1);
  if (outcome.kind === 'judged' && outcome.verdict !== verdict)
    addChanged(tally, { id, account: subject.account, from: verdict, to: outcome.verdict });
}
