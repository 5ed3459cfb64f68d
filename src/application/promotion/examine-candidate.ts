import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import type { SpaceProvider } from '../../domain/policy-analysis/build-space.ts';
import { judgeCases } from '../../domain/policy-tests/judge-cases.ts';
import type { CasesRun, LossesFound } from '../../domain/promotion/check-promotion.ts';
import { findUnwaivedLosses } from '../../domain/promotion/find-unwaived-losses.ts';
import type { LocatedDocument } from '../load-policy.ts';
import { parseCases } from '../load-policy-cases.ts';

/** What can be known of a candidate without decisions. */
export interface Examination {
  readonly cases: CasesRun;
  readonly losses: LossesFound;
}

interface ExamineOptions {
  /** The text of its cases; null where it has none. */
  readonly tests: string | null;
  /** See waived_rules. */
  readonly waivedRules: readonly string[];
  readonly providers: readonly SpaceProvider[];
  readonly parse: (text: string) => LocatedDocument;
}

/** Runs the cases of a candidate, and asks what losses of evidence do to its answers. Takes up to some ten seconds. */
export function examineCandidate(
  policy: CompiledPolicy,
  { tests, waivedRules, providers, parse }: ExamineOptions,
): Examination {
  return {
    cases: runCases(policy, { tests, providers, parse }),
    losses: findUnwaivedLosses(policy, waivedRules, providers),
  };
}

/** How many mistakes in cases are told. */
const MISTAKES_MAX = 3;

/** Runs the cases of a candidate. Those that cannot be read are not passed. */
export function runCases(
  policy: CompiledPolicy,
  { tests, providers, parse }: Omit<ExamineOptions, 'waivedRules'>,
): CasesRun {
  if (tests === null) return { kind: 'none' };
  const document = parseCases(tests, parse);
  const cases = document.ok ? document.value.read(policy, providers) : document;
  if (!cases.ok) return { kind: 'unknown', why: cases.mistakes.slice(0, MISTAKES_MAX).join('; ') };
  const judged = judgeCases(policy, cases.value);
  const failed = judged.filter(({ differences }) => differences.length > 0);
  return {
    kind: 'run',
    passed: judged.length - failed.length,
    failed: failed.map((one) => one.case.name),
  };
}
