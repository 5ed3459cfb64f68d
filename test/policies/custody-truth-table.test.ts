import t from 'tap';
import { isDefinite } from '../../src/domain/evidence.ts';
import { evaluatePolicy } from '../../src/domain/policy/evaluate.ts';
import type { TelemetryCustody, TelemetrySignals } from '../../src/domain/policy/telemetry-signals.ts';
import { stricterOf, type Verdict } from '../../src/domain/verdict.ts';
import { loadPolicyFile } from '../support/load-policy-file.ts';
import { combinations, evidenceOf, expectedVerdict, outcomesOf, REQUEST } from '../support/outcome-table.ts';

/** Custody as it is beside these outcomes: whether the id has expired is Stytch's to say. */
function firstUse(isStytchLost: boolean): TelemetrySignals {
  const signals = { uses: 1, age_seconds: 0, bound_elsewhere: false };
  return isStytchLost ? signals : { ...signals, expired: false };
}

/** What custody adds: whoever used the id first, its age and its expiry, in every combination, and the two ways of having none. */
const CUSTODY: readonly (readonly [string, TelemetryCustody, Verdict])[] = [
  ...[false, true].flatMap((replayed) =>
    [0, 3600, 3601].flatMap((age) =>
      [false, true].map((expired): readonly [string, TelemetryCustody, Verdict] => [
        JSON.stringify({ replayed, age, expired }),
        { uses: 2, age_seconds: age, bound_elsewhere: replayed, expired },
        replayed ? 'BLOCK' : age > 3600 || expired ? 'CHALLENGE' : 'ALLOW',
      ]),
    ),
  ),
  ['none', 'none', 'ALLOW'],
];

for (const [name, expected, ofUnknownCustody] of [['custody.yaml', expectedVerdict, 'CHALLENGE']] as const) {
  t.test(`${name} answers every combination of outcomes as documented`, async (t) => {
    const policy = loadPolicyFile(name);
    t.same(policy.providerIds, ['stytch', 'mobilerun', 'prefactor']);
    const counts: Record<Verdict, number> = { ALLOW: 0, CHALLENGE: 0, BLOCK: 0 };
    const wrong: string[] = [];
    for (const outcomes of combinations(policy.providerIds.map(outcomesOf))) {
      const evidence = outcomes.map((outcome, place) => evidenceOf(policy.providerIds[place] ?? '', outcome));
      const isLost = outcomes.some((outcome) => !isDefinite(outcome));
      const judge = (custody: TelemetryCustody) => evaluatePolicy(policy, evidence, REQUEST, custody);
      const judgement = judge(firstUse(!isDefinite(outcomes[0] ?? 'ok')));
      counts[judgement.verdict] += 1;
      if (judgement.verdict !== expected(outcomes) || judgement.degraded !== isLost)
        wrong.push(outcomes.join());
      for (const [what, custody, ofCustody] of CUSTODY) {
        const { verdict } = judge(custody);
        if (verdict !== stricterOf(expected(outcomes), ofCustody)) wrong.push(`${outcomes.join()} ${what}`);
      }
      const unknown = judge('unknown');
      if (unknown.verdict !== stricterOf(expected(outcomes), ofUnknownCustody) || !unknown.degraded)
        wrong.push(`${outcomes.join()} unknown`);
    }
    t.same(wrong, []);
    t.equal(counts.ALLOW + counts.CHALLENGE + counts.BLOCK, 10 * 11 * 10);
    t.ok(counts.ALLOW > 0 && counts.CHALLENGE > 0 && counts.BLOCK > 0);
  });
}
