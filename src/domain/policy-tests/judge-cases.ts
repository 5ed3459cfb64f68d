import type { CompiledPolicy } from '../policy/compile.ts';
import type { Judgement } from '../policy/judgement.ts';
import { judgeWitness } from '../policy-analysis/witness.ts';
import type { Expected } from './case-schema.ts';
import type { PolicyCase } from './read-cases.ts';

/** What a case came to. */
export interface JudgedCase {
  readonly case: PolicyCase;
  readonly judgement: Judgement;
  /** What is not as expected; empty for a case that passes. */
  readonly differences: readonly Difference[];
}

/** Something that is not as a case expects. */
interface Difference {
  readonly field: 'decision' | 'degraded' | 'reasons';
  readonly expected: string;
  readonly actual: string;
}

/** Judges cases by a policy, with the engine that services use. */
export function judgeCases(policy: CompiledPolicy, cases: readonly PolicyCase[]): readonly JudgedCase[] {
  return cases.map((one) => {
    const judgement = judgeWitness(policy, one.witness);
    return { case: one, judgement, differences: compare(one.expected, judgement) };
  });
}

/** What of a judgement is not as expected. A case that says nothing about evidence that is lost expects none. */
export function compare(
  { decision, degraded = false, reasons }: Expected,
  judgement: Judgement,
): readonly Difference[] {
  const codes = judgement.reasons.map(({ code }) => code);
  const all: readonly Difference[] = [
    { field: 'decision', expected: decision, actual: judgement.verdict },
    { field: 'degraded', expected: String(degraded), actual: String(judgement.degraded) },
    { field: 'reasons', expected: toList(reasons ?? codes), actual: toList(codes) },
  ];
  return all.filter(({ expected, actual }) => expected !== actual);
}

function toList(codes: readonly string[]): string {
  return `[${codes.join(', ')}]`;
}
