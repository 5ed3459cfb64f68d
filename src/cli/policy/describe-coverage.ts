import {
  type Coverage,
  measureCoverage,
  type RuleCoverage,
  type Share,
} from '../../domain/policy-tests/coverage.ts';
import { CommandFailure, EXIT_CODES } from '../command.ts';
import type { runCases } from './describe-cases.ts';
import { TEST_COMPILE_OPTIONS } from './open-cases.ts';

/** What the cases of a file reach of its policy. */
interface FileCoverage extends Coverage {
  readonly policyPath: string;
}

/** A part of the report of `test` that was asked for. */
export interface TestReport {
  readonly lines: readonly string[];
  /** For each file, what its JSON has besides. */
  readonly json: readonly object[];
  readonly isBad: boolean;
}

/**
 * What the cases of each file reach of its policy, where the options ask for it. Throws a `CommandFailure` for a
 * least share that is none.
 */
export function reportCoverage(
  files: readonly ReturnType<typeof runCases>[],
  { coverage, coverageMin }: Readonly<Record<string, string | boolean | undefined>>,
): TestReport {
  const least = readPercent(coverageMin);
  if (coverage !== true && least === null) return { lines: [], json: [], isBad: false };
  const covered = files.map(({ opened: { policy, policyPath }, cases }): FileCoverage => {
    const judged = cases.map((one) => one.judged);
    return { policyPath, ...measureCoverage(policy, judged, TEST_COMPILE_OPTIONS) };
  });
  const isBad = covered.some((one) => isBelow(one, least));
  return {
    lines: [...covered.flatMap(describeCoverage), ...(isBad ? [`Less than ${least} % is covered.`] : [])],
    json: covered.map((one) => ({ coverage: toCoverageJson(one) })),
    isBad,
  };
}

/** The least share, in percent, that an option asks for; null without one. Throws for what is no percentage. */
export function readPercent(given: string | boolean | undefined): number | null {
  if (given === undefined) return null;
  const percent = Number(given);
  if (typeof given === 'string' && given.trim() !== '' && percent >= 0 && percent <= 100) return percent;
  throw new CommandFailure('usage', `${String(given)} is no percentage: 0 to 100`, EXIT_CODES.usage);
}

/** A share in percent, rounded down to a tenth: only what is whole is 100. */
export function toPercent({ covered, total }: Share): number {
  return total === 0 ? 100 : Math.floor((covered / total) * 1000) / 10;
}

/** Whether rules or branches are covered less than that. */
function isBelow({ ofRules, ofBranches }: Coverage, percent: number | null): boolean {
  return percent !== null && [ofRules, ofBranches].some((share) => toPercent(share) < percent);
}

/** What the cases of a file reach, and each thing that they do not. */
function describeCoverage({ policyPath, rules, ofRules, ofBranches }: FileCoverage): readonly string[] {
  const head = `${policyPath}: rules ${describeShare(ofRules)}, branches ${describeShare(ofBranches)}`;
  return [head, ...rules.flatMap((rule) => describeGaps(rule).map((gap) => `  ${rule.rule}: ${gap}`))];
}

function describeShare(share: Share): string {
  return `${toPercent(share)} % (${share.covered} of ${share.total})`;
}

function describeGaps({ counts, expected, branches }: RuleCoverage): readonly string[] {
  const missing = expected.filter((result) => counts[result] === 0);
  return [
    ...(missing.length > 0 ? [`never ${missing.join(', never ')}`] : []),
    ...branches.flatMap((branch) => {
      if (branch.counts === null) return [`cannot be told alone: ${branch.text}`];
      const ways = (['true', 'false'] as const).filter((way) => branch.counts?.[way] === 0);
      return ways.map((way) => `no case makes it ${way}: ${branch.text}`);
    }),
  ];
}

/** The same for programs. */
function toCoverageJson({ rules, ofRules, ofBranches }: Coverage): object {
  return {
    rules: { ...ofRules, percent: toPercent(ofRules) },
    branches: { ...ofBranches, percent: toPercent(ofBranches) },
    by_rule: rules,
  };
}
