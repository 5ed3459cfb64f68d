import t from 'tap';
import { isDefinite, OUTCOMES } from '../../src/domain/evidence.ts';
import { evaluatePolicy } from '../../src/domain/policy/evaluate.ts';
import { onLists } from '../../src/domain/policy-tests/on-lists.ts';
import { type GivenPart, seenActivity } from '../../src/domain/policy-tests/seen-activity.ts';
import { seenContradictions } from '../../src/domain/policy-tests/seen-contradictions.ts';
import { stricterOf, VERDICTS, type Verdict } from '../../src/domain/verdict.ts';
import { loadPolicyFile } from '../support/load-policy-file.ts';
import { combinations, evidenceOf, REQUEST } from '../support/outcome-table.ts';

const FIRST_USE = {
  uses: 1,
  age_seconds: 0,
  bound_elsewhere: false,
  omits_device: false,
  omits_account: false,
  expired: false,
};
const OLD = 2_592_001;

/** What is seen of a part, and what it comes to by itself: 'strict' is BLOCK in the strict policy alone. */
type Row = readonly [given: GivenPart, comesTo: 'nothing' | 'challenge' | 'strict' | 'unknown'];

const DEVICE: readonly Row[] = [
  [{ accounts_1h: 5 }, 'nothing'],
  [{ accounts_1h: 6 }, 'strict'],
  [{ accounts_1h: 'lost' }, 'unknown'],
  ['unknown', 'unknown'],
  ['none', 'nothing'],
];
const ACCOUNT: readonly Row[] = [
  [{ devices_1h: 5 }, 'nothing'],
  [{ devices_1h: 6 }, 'challenge'],
  [{ devices_1h: 'lost' }, 'unknown'],
  [{ remembered_seconds: OLD, known_device: true }, 'nothing'],
  [{ remembered_seconds: OLD, known_device: false }, 'challenge'],
  [{ remembered_seconds: OLD, known_device: 'lost' }, 'unknown'],
  [{ remembered_seconds: 'lost', known_device: false }, 'unknown'],
  ['unknown', 'unknown'],
  ['none', 'nothing'],
];
const ADDRESS: readonly Row[] = [
  [{ not_found_10m: 9, telemetry_ids_10m: 40 }, 'nothing'],
  [{ not_found_10m: 40, telemetry_ids_10m: 9 }, 'nothing'],
  [{ not_found_10m: 10, telemetry_ids_10m: 10 }, 'challenge'],
  [{ not_found_10m: 'lost', telemetry_ids_10m: 10 }, 'unknown'],
  ['unknown', 'unknown'],
  ['none', 'nothing'],
];

for (const [name, onUnknown] of [
  ['default.yaml', 'CHALLENGE'],
  ['strict.yaml', 'BLOCK'],
] as const) {
  const comingTo: Readonly<Record<Row[1], Verdict>> = {
    nothing: 'ALLOW',
    challenge: 'CHALLENGE',
    strict: onUnknown,
    unknown: onUnknown,
  };

  t.test(
    `${name} answers every combination of activity as documented, and no loss with an ALLOW`,
    async (t) => {
      const policy = loadPolicyFile(name);
      const counts: Record<Verdict, number> = { ALLOW: 0, CHALLENGE: 0, BLOCK: 0 };
      const wrong: string[] = [];
      for (const outcome of OUTCOMES.filter((each) => each !== 'unsupported')) {
        const evidence = policy.providerIds.map((id) =>
          evidenceOf(id, id === 'stytch' ? outcome : 'skipped'),
        );
        const facts = { ...onLists(policy), ...seenContradictions(), telemetry: FIRST_USE };
        const alone = evaluatePolicy(policy, evidence, REQUEST, { ...facts, ...seenActivity(policy) });
        for (const rows of combinations<Row>([DEVICE, ACCOUNT, ADDRESS])) {
          const [device = 'none', account = 'none', ip = 'none'] = rows.map(([given]) => given);
          const { verdict, degraded } = evaluatePolicy(policy, evidence, REQUEST, {
            ...facts,
            ...seenActivity(policy, { device, account, ip }),
          });
          counts[verdict] += 1;
          const expected = rows.reduce<Verdict>(
            (strictest, [, comesTo]) => stricterOf(strictest, comingTo[comesTo]),
            alone.verdict,
          );
          const isLost = rows.some(([, comesTo]) => comesTo === 'unknown') || !isDefinite(outcome);
          if (verdict !== expected || degraded !== isLost || (isLost && verdict === 'ALLOW'))
            wrong.push(`${outcome}, ${JSON.stringify(rows)}: ${verdict}`);
        }
      }
      t.same(wrong, []);
      for (const verdict of VERDICTS) t.ok(counts[verdict] > 0, verdict);
    },
  );
}
