import t from 'tap';
import { isDefinite, type Outcome } from '../../src/domain/evidence.ts';
import { evaluatePolicy } from '../../src/domain/policy/evaluate.ts';
import type { Verdict } from '../../src/domain/verdict.ts';
import { loadPolicyFile } from '../support/load-policy-file.ts';
import { combinations, evidenceOf, expectedVerdict, outcomesOf, REQUEST } from '../support/outcome-table.ts';

/** As in the default policy, and an outage is a BLOCK, and any device that Mobilerun knows is at least challenged. */
function expectedStrictVerdict(outcomes: readonly Outcome[]): Verdict {
  if (outcomes.includes('not_found') || outcomes.some((outcome) => !isDefinite(outcome))) return 'BLOCK';
  return outcomes[1] === 'skipped' ? 'ALLOW' : 'CHALLENGE';
}

for (const [name, expected] of [
  ['default.yaml', expectedVerdict],
  ['strict.yaml', expectedStrictVerdict],
] as const) {
  t.test(`${name} answers every combination of outcomes as documented`, async (t) => {
    const policy = loadPolicyFile(name);
    t.same(policy.providerIds, ['stytch', 'mobilerun', 'prefactor']);
    const counts: Record<Verdict, number> = { ALLOW: 0, CHALLENGE: 0, BLOCK: 0 };
    const wrong: string[] = [];
    for (const stytch of outcomesOf('stytch')) {
      for (const mobilerun of outcomesOf('mobilerun')) {
        for (const prefactor of outcomesOf('prefactor')) {
          const outcomes = [stytch, mobilerun, prefactor];
          const evidence = outcomes.map((outcome, place) =>
            evidenceOf(policy.providerIds[place] ?? '', outcome),
          );
          const judgement = evaluatePolicy(policy, evidence, REQUEST);
          counts[judgement.verdict] += 1;
          const degraded = outcomes.some((outcome) => !isDefinite(outcome));
          if (judgement.verdict !== expected(outcomes) || judgement.degraded !== degraded)
            wrong.push(outcomes.join());
        }
      }
    }
    t.same(wrong, []);
    t.equal(counts.ALLOW + counts.CHALLENGE + counts.BLOCK, 10 * 11 * 10);
    t.ok(counts.ALLOW > 0 && counts.CHALLENGE > 0 && counts.BLOCK > 0);
  });
}

t.test(
  'default.yaml challenges what a suspect provider does not find, and strict.yaml blocks it',
  async (t) => {
    const [lenient, strict] = [loadPolicyFile('default.yaml'), loadPolicyFile('strict.yaml')];
    let cases = 0;
    for (const outcomes of combinations(lenient.providerIds.map(outcomesOf))) {
      for (let mask = 1; mask < 8; mask += 1) {
        const evidence = outcomes.map((outcome, place) => ({
          ...evidenceOf(lenient.providerIds[place] ?? '', outcome),
          suspect: (mask & (1 << place)) !== 0,
        }));
        const believed = outcomes.filter(
          (outcome, place) => outcome !== 'not_found' || !(mask & (1 << place)),
        );
        const isSoftened = believed.length < outcomes.length;
        const name = `${outcomes.join()} with ${mask.toString(2)} suspect`;
        const without = expectedVerdict(outcomes);
        const wanted = isSoftened && !believed.includes('not_found') ? 'CHALLENGE' : without;
        const judged = evaluatePolicy(lenient, evidence, REQUEST).verdict;
        if (judged !== wanted) t.equal(judged, wanted, name);
        const judgedStrictly = evaluatePolicy(strict, evidence, REQUEST).verdict;
        if (judgedStrictly !== expectedStrictVerdict(outcomes)) t.fail(`strict: ${name}`);
        cases += 1;
      }
    }
    t.equal(cases, 10 * 11 * 10 * 7);
  },
);
