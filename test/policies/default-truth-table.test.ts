import t from 'tap';
import { isDefinite, OUTCOMES, type Outcome, type Signals } from '../../src/domain/evidence.ts';
import { evaluatePolicy, type PolicyEvidence } from '../../src/domain/policy/evaluate.ts';
import type { Verdict } from '../../src/domain/verdict.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { loadPolicyFile } from '../support/load-policy-file.ts';

const REQUEST = { telemetry_id_present: true, device_id_present: true };

/** The best that each provider can say. */
const CLEAN: Record<string, Signals> = {
  stytch: { found: true, action: 'ALLOW', reasons: [], is_authentic: true },
  mobilerun: { found: true, supported: true },
  prefactor: { found: true, status: 'active' },
};

function evidenceOf(id: string, outcome: Outcome): PolicyEvidence {
  if (outcome === 'ok') return { outcome, signals: CLEAN[id] ?? null };
  if (outcome === 'not_found') {
    return { outcome, signals: PROVIDERS.find((provider) => provider.id === id)?.notFoundSignals ?? null };
  }
  if (outcome === 'unsupported') return { outcome, signals: { found: true, supported: false } };
  return { outcome, signals: null };
}

/** What the documentation promises, worked out from the outcomes alone and without the policy engine. */
function expectedVerdict(outcomes: readonly Outcome[]): Verdict {
  if (outcomes.includes('not_found')) return 'BLOCK';
  if (outcomes.some((outcome) => !isDefinite(outcome))) return 'CHALLENGE';
  return outcomes[1] === 'unsupported' ? 'CHALLENGE' : 'ALLOW';
}

/** As in the default policy, and an outage is a BLOCK, and any device that Mobilerun knows is at least challenged. */
function expectedStrictVerdict(outcomes: readonly Outcome[]): Verdict {
  if (outcomes.includes('not_found') || outcomes.some((outcome) => !isDefinite(outcome))) return 'BLOCK';
  return outcomes[1] === 'skipped' ? 'ALLOW' : 'CHALLENGE';
}

/** Outcomes that a provider can have; only Mobilerun has devices that it knows and cannot read. */
function outcomesOf(id: string): readonly Outcome[] {
  return OUTCOMES.filter((outcome) => outcome !== 'unsupported' || id === 'mobilerun');
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

function combinations(lists: readonly (readonly Outcome[])[]): Outcome[][] {
  const [first, ...rest] = lists;
  if (first === undefined) return [[]];
  const tails = combinations(rest);
  return first.flatMap((outcome) => tails.map((tail) => [outcome, ...tail]));
}
