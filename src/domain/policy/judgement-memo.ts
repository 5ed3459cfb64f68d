import type { CompiledPolicy } from './compile.ts';
import type { PolicyEvidence } from './evidence-row.ts';
import type { Judgement } from './judgement.ts';
import { findLosses, type Situation, toSituation, toSituationKey } from './situation.ts';
import type { SubjectFacts } from './subject-fact.ts';

/**
 * The situations of one policy, and the number of judgements in all of them. Nothing in it is of a subject.
 */
interface JudgementMemo {
  readonly situations: Map<string, Situation>;
  judgements: number;
}

/**
 * With the default policy both together take at most 0.5 MB. With 500 rules they take about 3 MB, and 15 MB
 * where all rules are true or unknown in all of them.
 */
const SITUATIONS_MAX = 32;
const JUDGEMENTS_MAX = 256;

const memos = new WeakMap<CompiledPolicy, JudgementMemo>();

/** What is remembered of a policy. It ends with the policy. */
export function memoOf(policy: CompiledPolicy): JudgementMemo {
  let memo = memos.get(policy);
  if (memo === undefined) {
    memo = { situations: new Map(), judgements: 0 };
    memos.set(policy, memo);
  }
  return memo;
}

/** The situation of a decision: one object for all decisions with the same losses. */
export function situationOf(
  memo: JudgementMemo,
  policy: CompiledPolicy,
  evidence: readonly PolicyEvidence[],
  facts: SubjectFacts,
): Situation {
  const losses = findLosses(policy, evidence, facts);
  const key = toSituationKey(losses, evidence);
  let situation = memo.situations.get(key);
  if (situation === undefined) {
    situation = toSituation(policy, losses, evidence, facts);
    if (memo.situations.size >= SITUATIONS_MAX) forget(memo);
    memo.situations.set(key, situation);
  }
  return situation;
}

/** Keeps the judgement of these results of rules in this situation. */
export function remember(
  memo: JudgementMemo,
  situation: Situation,
  results: string,
  judgement: Judgement,
): void {
  if (memo.judgements >= JUDGEMENTS_MAX) forget(memo);
  situation.judgements.set(results, judgement);
  memo.judgements += 1;
}

/** A full memo begins again, so that nobody can fill one with rare results and keep the common ones out. */
function forget(memo: JudgementMemo): void {
  memo.situations.clear();
  memo.judgements = 0;
}
