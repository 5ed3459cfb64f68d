import t from 'tap';
import { isDefinite, type Outcome } from '../../src/domain/evidence.ts';
import { evaluatePolicy } from '../../src/domain/policy/evaluate.ts';
import type { PolicyEvidence } from '../../src/domain/policy/evidence-row.ts';
import type { TelemetryCustody, TelemetrySignals } from '../../src/domain/policy/telemetry-signals.ts';
import { onLists } from '../../src/domain/policy-tests/on-lists.ts';
import { seenActivity } from '../../src/domain/policy-tests/seen-activity.ts';
import { seenContradictions } from '../../src/domain/policy-tests/seen-contradictions.ts';
import { stricterOf, VERDICTS, type Verdict } from '../../src/domain/verdict.ts';
import { loadPolicyFile } from '../support/load-policy-file.ts';
import { combinations, evidenceOf, expectedVerdict, outcomesOf, REQUEST } from '../support/outcome-table.ts';

const PROVIDER_IDS = ['stytch', 'mobilerun', 'prefactor'];
/** Bit sets of suspect providers, one at least. */
const SUSPICIONS = [1, 2, 3, 4, 5, 6, 7];

/**
 * Lost evidence is lost in one way only as far as a policy is told; the first part of the table has them all.
 */
function isOneOfItsKind(outcome: Outcome): boolean {
  return isDefinite(outcome) || outcome === 'timeout';
}

/** An id that only a suspect provider does not know is a challenge instead of a block. */
function expectedWhileSuspect(outcomes: readonly Outcome[], suspects: number): Verdict {
  const believed = outcomes.filter((outcome, place) => outcome !== 'not_found' || !(suspects & (1 << place)));
  const isSoftened = believed.length < outcomes.length && !believed.includes('not_found');
  return isSoftened ? 'CHALLENGE' : expectedVerdict(outcomes);
}

/**
 * As in the default policy, and an outage is a BLOCK, any device that Mobilerun knows is at least challenged,
 * and no suspicion counts.
 */
function expectedStrictVerdict(outcomes: readonly Outcome[]): Verdict {
  if (outcomes.includes('not_found') || outcomes.some((outcome) => !isDefinite(outcome))) return 'BLOCK';
  return outcomes[1] === 'skipped' ? 'ALLOW' : 'CHALLENGE';
}

interface CustodyCase {
  readonly custody: TelemetryCustody;
  /** What custody alone comes to where an unknown rule is `onUnknown`. */
  readonly expected: (onUnknown: Verdict) => Verdict;
  readonly isLost: boolean;
}

/**
 * Who used the id first, whether the device is left out, its age and its expiry, in every combination;
 * custody that could not be had; and no telemetry id. The expiry alone may be lost: what the provider said
 * last is then all there is.
 */
const CUSTODY: readonly CustodyCase[] = [
  ...[0, 1, 2, 3].flatMap((bits) =>
    [0, 3600, 3601].flatMap((age) =>
      [false, true, undefined].map((expired): CustodyCase => {
        const [replayed, omitted] = [(bits & 1) !== 0, (bits & 2) !== 0];
        const signals: TelemetrySignals = {
          uses: 2,
          age_seconds: age,
          bound_elsewhere: replayed,
          omits_device: omitted,
          // Which decides nothing.
          omits_account: age === 0,
        };
        return {
          custody: expired === undefined ? signals : { ...signals, expired },
          expected: (onUnknown) =>
            [
              replayed ? 'BLOCK' : 'ALLOW',
              age > 3600 || expired || omitted ? 'CHALLENGE' : 'ALLOW',
              expired === undefined ? onUnknown : 'ALLOW',
            ].reduce<Verdict>((left, right) => stricterOf(left, right as Verdict), 'ALLOW'),
          isLost: expired === undefined,
        };
      }),
    ),
  ),
  { custody: 'unknown', expected: (onUnknown) => onUnknown, isLost: true },
  { custody: 'none', expected: () => 'ALLOW', isLost: false },
];

/**
 * Every combination of outcomes while nobody is suspect, and of one outcome of each kind with everyone who
 * can be.
 */
const TABLE: readonly (readonly [outcomes: readonly Outcome[], suspects: number])[] = [
  ...combinations(PROVIDER_IDS.map(outcomesOf)).map((outcomes) => [outcomes, 0] as const),
  ...combinations(PROVIDER_IDS.map((id) => outcomesOf(id).filter(isOneOfItsKind))).flatMap((outcomes) =>
    SUSPICIONS.map((suspects) => [outcomes, suspects] as const),
  ),
];

for (const [name, expectedOfProviders, onUnknown] of [
  ['default.yaml', expectedWhileSuspect, 'CHALLENGE'],
  ['strict.yaml', expectedStrictVerdict, 'BLOCK'],
] as const) {
  t.test(`${name} answers every combination of outcomes, suspicion and custody as documented`, async (t) => {
    const policy = loadPolicyFile(name);
    t.same(policy.providerIds, PROVIDER_IDS);
    const counts: Record<Verdict, number> = { ALLOW: 0, CHALLENGE: 0, BLOCK: 0 };
    const wrong: string[] = [];
    const facts = { ...onLists(policy), ...seenActivity(policy), ...seenContradictions() };
    for (const [outcomes, suspects] of TABLE) {
      const isDegraded = outcomes.some((outcome) => !isDefinite(outcome));
      const ofProviders = expectedOfProviders(outcomes, suspects);
      const evidence = outcomes.map(
        (outcome, place): PolicyEvidence => ({
          ...evidenceOf(PROVIDER_IDS[place] ?? '', outcome),
          suspect: (suspects & (1 << place)) !== 0,
        }),
      );
      for (const { custody, expected, isLost } of CUSTODY) {
        const { verdict, degraded, waivers } = evaluatePolicy(policy, evidence, REQUEST, {
          ...facts,
          telemetry: custody,
        });
        counts[verdict] += 1;
        const isRight =
          verdict === stricterOf(ofProviders, expected(onUnknown)) &&
          degraded === (isDegraded || isLost) &&
          waivers.length === 0;
        const isAllowedByLoss = isLost && verdict === 'ALLOW';
        if (!isRight || isAllowedByLoss)
          wrong.push(`${outcomes.join()}, suspect ${suspects.toString(2)}, ${JSON.stringify(custody)}`);
      }
    }
    t.same(wrong, []);
    t.equal(counts.ALLOW + counts.CHALLENGE + counts.BLOCK, (10 * 11 * 10 + 4 * 5 * 4 * 7) * 38);
    for (const verdict of VERDICTS) t.ok(counts[verdict] > 0, verdict);
  });
}
