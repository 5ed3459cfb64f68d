import { type MutationScore, scoreMutants } from '../../domain/policy-tests/score-mutants.ts';
import type { runCases } from './describe-cases.ts';
import { readPercent, type TestReport, toPercent } from './describe-coverage.ts';
import { CASE_PROVIDERS, TEST_COMPILE_OPTIONS } from './open-cases.ts';

/**
 * How many mutants of its policy the cases of each file notice, where the options ask for it. Throws a
 * `CommandFailure` for a least score that is none.
 */
export function reportMutants(
  files: readonly ReturnType<typeof runCases>[],
  { mutate, mutateMin }: Readonly<Record<string, string | boolean | undefined>>,
): TestReport {
  const least = readPercent(mutateMin);
  if (mutate !== true && least === null) return { lines: [], json: [], isBad: false };
  // A case that fails fails for every mutant, too.
  if (files.some(({ failed }) => failed > 0))
    return { lines: ['Mutants are tried when all cases pass.'], json: [], isBad: true };
  const scored = files.map(({ opened: { policy, policyPath, cases } }) => ({
    policyPath,
    score: scoreMutants(policy, cases, CASE_PROVIDERS, TEST_COMPILE_OPTIONS),
  }));
  const isBad = least !== null && scored.some(({ score }) => toPercent(shareOf(score)) < least);
  return {
    lines: [
      ...scored.flatMap(({ policyPath, score }) => describeScore(policyPath, score)),
      ...(isBad ? [`Less than ${least} % of the mutants are noticed.`] : []),
    ],
    json: scored.map(({ score }) => ({ mutation: { percent: toPercent(shareOf(score)), ...score } })),
    isBad,
  };
}

function shareOf({ killed, survivors }: MutationScore) {
  return { covered: killed, total: killed + survivors.length };
}

function describeScore(path: string, score: MutationScore): readonly string[] {
  const { covered, total } = shareOf(score);
  const { survivors, equal, untried } = score;
  return [
    ...survivors.flatMap(({ rule, what, before, after, told }) => [
      `${path}: no case notices${rule === null ? '' : ` in ${rule}`}: ${what}`,
      `  - ${oneLine(before)}`,
      ...(after === '' ? [] : [`  + ${oneLine(after)}`]),
      told === null
        ? '    it may be equal to the policy: no evidence is known that tells them apart'
        : `    there is evidence for which it makes ${told.after} of ${told.before}`,
    ]),
    `${path}: ${toPercent({ covered, total })} % of ${total} mutants are noticed, ${survivors.length} are not; ${equal} more are equal to the policy`,
    ...(untried > 0 ? [`${path}: ${untried} more mutants were not tried`] : []),
  ];
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim();
}
