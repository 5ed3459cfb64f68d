import fc from 'fast-check';
import t from 'tap';
import type { Finding } from '../../../src/domain/contradictions/contradiction.ts';
import {
  toContradictionPlan,
  toContradictionSignals,
} from '../../../src/domain/contradictions/find-contradictions.ts';
import type { FoundPlace } from '../../../src/domain/contradictions/reference-data.ts';
import { CONTRADICTIONS } from '../../../src/domain/contradictions/registry.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import { evaluatePolicy } from '../../../src/domain/policy/evaluate.ts';
import type { PolicyEvidence } from '../../../src/domain/policy/evidence-row.ts';
import { toRequestSignals } from '../../../src/domain/policy/request-signals.ts';
import type { SubjectFacts } from '../../../src/domain/policy/subject-fact.ts';
import type { TelemetryCustody } from '../../../src/domain/policy/telemetry-signals.ts';
import { buildSpace } from '../../../src/domain/policy-analysis/build-space.ts';
import { findConstraints } from '../../../src/domain/policy-analysis/constraints.ts';
import { contributionOf, verdictOf } from '../../../src/domain/policy-analysis/contribution.ts';
import { ANY_RESULT, RESULT, toRuleTable } from '../../../src/domain/policy-analysis/rule-table.ts';
import type { Table } from '../../../src/domain/policy-analysis/table.ts';
import { questionFor, type Subject, spellPart } from '../../../src/domain/subject.ts';
import { analysedDocuments } from '../../support/analysed-documents.ts';
import { SPACE_PROVIDERS } from '../../support/analysis-fixture.ts';
import { cellsOf, type EngineInput } from '../../support/cell-of-input.ts';
import {
  definiteEvidence,
  indefiniteEvidence,
  loseCustody,
  policyDocuments,
  wholeCustody,
} from '../../support/policy-arbitraries.ts';
import { compiledIfCheap, NOT_FOUND, SKIPPED } from '../../support/policy-fixture.ts';

const CONTRADICTING = [
  'contradictions.count >= 2',
  'contradictions.count == 0 || a.found',
  'contradictions.count + contradictions.families > 3',
  'contradictions.families >= 2 && a.action == "BLOCK"',
  'contradictions.travel && contradictions.clock',
  'contradictions.travel || contradictions.count > 1',
  'contradictions.strongest.startsWith("t")',
  'contradictions.strongest == a.action',
  'contradictions.count > telemetry.uses',
];
const OTHERS = [
  'activity.account.decisions_1h > 5.5',
  'activity.ip.decisions_1h > 2',
  'has(request.account_id)',
  'has(request.country) && request.country == "DE"',
  'request.asn > 5',
  'a.asn > 4.5 && a.asn < 5.5',
  'a.action.startsWith("B") && a.action != b.action',
  'has(request.ip)',
];

const ID = fc.constantFrom('some', '', '\ud800', null);

/** Whatever a caller can send. */
const SUBJECTS: fc.Arbitrary<Subject> = fc.record(
  {
    telemetryId: ID,
    device: fc.oneof(
      ID.map((id) => ({ kind: 'shared', id }) as const),
      fc
        .array(fc.tuple(fc.constantFrom('a', 'b', 'c'), ID), { maxLength: 2 })
        .map((ids) => ({ kind: 'named', ids: new Map(ids) }) as const),
    ),
    action: fc.constantFrom('login', 'payout', ''),
    accountId: fc.constantFrom('some', '\ud800', ''),
    ip: fc.constantFrom('10.0.0.1', '192.168.0.1', '203.0.113.9'),
  },
  { requiredKeys: ['telemetryId', 'device'] },
);
const FINDINGS = fc.array(
  fc.constantFrom<Finding>({ result: true, because: {} }, { result: false, because: {} }, 'unknown', 'none'),
  { minLength: CONTRADICTIONS.length, maxLength: CONTRADICTIONS.length },
);
const PLACES = fc.constantFrom<FoundPlace>(
  'lost',
  null,
  { country: 'DE', asn: 7 },
  { country: 'AU' },
  { asn: 3 },
);
const ACTIVITY = fc.oneof(
  fc.record({ decisions_1h: fc.integer({ min: 0, max: 7 }) }, { requiredKeys: [] }),
  fc.constant('unknown' as const),
);

const ANYTHING_GIVEN = fc.record({
  subject: SUBJECTS,
  isUnreadable: fc.boolean(),
  place: PLACES,
  answers: fc.tuple(
    ...SPACE_PROVIDERS.map(() =>
      fc.oneof({ weight: 3, arbitrary: definiteEvidence() }, indefiniteEvidence()),
    ),
  ),
  suspects: fc.tuple(...SPACE_PROVIDERS.map(() => fc.boolean())),
  custody: wholeCustody(),
  custodyLost: fc.constantFrom('all', 'expiry', 'nothing'),
  findings: FINDINGS,
  activity: ACTIVITY,
});

type Given = typeof ANYTHING_GIVEN extends fc.Arbitrary<infer Value> ? Value : never;

/** What the service makes of it before it judges. */
function toInput(policy: CompiledPolicy, given: Given): EngineInput {
  const { isUnreadable, place, activity } = given;
  const { ip, ...rest } = given.subject;
  const subject: Subject = isUnreadable ? { ...rest, ipUnreadable: 'malformed' } : given.subject;
  const enabled = SPACE_PROVIDERS.filter((one) => one.subject === 'device_id').map(({ id }) => id);
  const evidence: Record<string, PolicyEvidence> = {};
  SPACE_PROVIDERS.forEach(({ id, subject: part, unsupportedSignals }, at) => {
    const { kind } = questionFor(subject, { id, subject: part as 'device_id' }, enabled);
    const suspect = given.suspects[at] ?? false;
    const told = given.answers[at] ?? SKIPPED;
    const isImpossible =
      told.outcome === 'skipped' || (told.outcome === 'unsupported' && unsupportedSignals === null);
    if (kind === 'ask') evidence[id] = { ...(isImpossible ? NOT_FOUND : told), suspect };
    else evidence[id] = kind === 'missing' ? NOT_FOUND : { ...SKIPPED, suspect };
  });
  const request = toRequestSignals(subject, enabled, subject.ip === undefined ? null : place);
  const paths = policy.facts.find(({ fact }) => fact.name === 'contradictions')?.paths ?? [];
  const plan = toContradictionPlan(paths, {});
  const places = plan.wanted.map((each) => CONTRADICTIONS.indexOf(each));
  const facts: SubjectFacts = {
    telemetry: toCustody(given, subject, request.device_id_given),
    'activity.account': request.account_id === undefined ? 'none' : activity,
    'activity.ip': isUnreadable ? 'unknown' : ip === undefined ? 'none' : activity,
    contradictions: toContradictionSignals(
      plan,
      places.map((one) => given.findings[one] ?? 'unknown'),
    ),
  };
  return { evidence, request, facts };
}

function toCustody(given: Given, { telemetryId }: Subject, givesDevice: boolean): TelemetryCustody {
  if (spellPart('telemetry_id', telemetryId ?? '') === null) return 'none';
  const { custody, custodyLost } = given;
  if (typeof custody === 'string') return 'unknown';
  const whole = { ...custody, omits_device: custody.omits_device && !givesDevice };
  return custodyLost === 'nothing' ? whole : loseCustody(whole, custodyLost === 'all');
}

function codeAt({ scope, sizes, codes }: Table, cell: ReadonlyMap<number, number>): number {
  return codes[scope.reduce((sum, place, at) => sum * (sizes[at] ?? 1) + (cell.get(place) ?? 0), 0)] ?? 0;
}

const UNTOLD: Table = { scope: [], sizes: [], codes: Uint8Array.of(ANY_RESULT) };

/** The space of a policy with a table of each rule, before values are merged. */
function toTables(policy: CompiledPolicy) {
  const rules = policy.rules.map((rule) => ({ policy: 0, rule }));
  const space = buildSpace(rules, [policy], SPACE_PROVIDERS);
  const tables = rules.map((one) => {
    const table = toRuleTable(one, [policy], space, { steps: Number.POSITIVE_INFINITY }, 0);
    return typeof table === 'object' ? table : UNTOLD;
  });
  return { space, tables, constraints: findConstraints(space) };
}

/** Whether some cell that can be stands for the input, and says of each rule what the engine says. */
function isForetold(policy: CompiledPolicy, prepared: ReturnType<typeof toTables>, given: Given): boolean {
  const input = toInput(policy, given);
  const pieces = policy.providerIds.map((id) => input.evidence[id] ?? SKIPPED);
  const { trace, verdict } = evaluatePolicy(policy, pieces, input.request, input.facts);
  const { space, tables, constraints } = prepared;
  return cellsOf(space, input).some((cell) => {
    if (!constraints.every((table) => codeAt(table, cell) === 1)) return false;
    const codes = tables.map((table, place) => {
      const code = codeAt(table, cell);
      const real = RESULT[trace[place]?.result ?? 'unknown'];
      return code === ANY_RESULT || code === real ? real : -1;
    });
    if (codes.includes(-1)) return false;
    const added = policy.rules.map((rule, place) => contributionOf(rule, codes[place] ?? 0));
    const level = Math.max(0, ...added.map((one) => one.level));
    return (
      verdictOf(
        policy,
        level,
        added.some(({ isExempting }) => isExempting),
      ) === verdict
    );
  });
}

for (const [name, documents] of [
  ['few signals', analysedDocuments([...CONTRADICTING, ...OTHERS])],
  ['any conditions', policyDocuments()],
] as const)
  t.test(
    `foretells what the engine says of all that it can be given, by policies over ${name}`,
    async (t) => {
      let judged = 0;
      fc.assert(
        fc.property(
          documents,
          fc.array(ANYTHING_GIVEN, { minLength: 12, maxLength: 12 }),
          (document, all) => {
            const policy = compiledIfCheap(document);
            if (policy === null) return;
            const prepared = toTables(policy);
            for (const given of all) {
              judged += 1;
              if (!isForetold(policy, prepared, given))
                throw new Error(
                  `${JSON.stringify(policy.rules.map(({ source }) => source.when))}: ${JSON.stringify(toInput(policy, given))}`,
                );
            }
          },
        ),
        { numRuns: 60, seed: 20_261_130 },
      );
      t.ok(judged > 500, `${judged} inputs`);
    },
  );
