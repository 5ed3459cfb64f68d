import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { loadPolicy } from '../../src/application/load-policy.ts';
import { INDEFINITE_OUTCOMES, OUTCOMES, type Outcome } from '../../src/domain/evidence.ts';
import type { CompiledPolicy } from '../../src/domain/policy/compile.ts';
import { evaluatePolicy } from '../../src/domain/policy/evaluate.ts';
import type { PolicyEvidence } from '../../src/domain/policy/evidence-row.ts';
import { VERDICTS } from '../../src/domain/verdict.ts';
import { compileLinearPattern } from '../../src/platform/linear-pattern.ts';
import { parseYaml } from '../../src/platform/yaml-document.ts';
import { fuzzRun } from '../support/fuzz-run.ts';
import { mutatedJson, mutatedText } from '../support/mutations.ts';
import { evidenceOf } from '../support/outcome-table.ts';
import { requests, wholeCustody } from '../support/policy-arbitraries.ts';
import { readYaml } from '../support/read-yaml.ts';
import { VENDORS } from '../support/vendors.ts';

const FOLDER = new URL('../../policies/', import.meta.url);
const TEXTS = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.yaml') && !name.endsWith('.test.yaml'))
  .map((name) => readFileSync(new URL(name, FOLDER), 'utf8'));

interface PolicyFile {
  readonly rules: readonly { readonly when: string }[];
}

const CONDITIONS = TEXTS.flatMap((text) => (readYaml(text) as PolicyFile).rules.map(({ when }) => when));

const HOSTILE = [
  'stytch.__proto__.found',
  'stytch["constructor"] == 1',
  'has(stytch.toString)',
  'request.hasOwnProperty',
  'providers.__proto__.outcome == "ok"',
  'stytch.action.matches("(a+)+$")',
  '[1,2,3].all(x, [1,2,3].all(y, [1,2,3].all(z, x == y && y == z)))',
  '"a".matches("[")',
  '1/0 == 1',
  `${'!'.repeat(500)}true`,
  `${'('.repeat(1_000)}true${')'.repeat(1_000)}`,
];

/** Conditions of the real policies, joined and bent, some of them no CEL at all. */
const conditions: fc.Arbitrary<string> = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { maxDepth: 3 },
    { weight: 12, arbitrary: fc.constantFrom(...CONDITIONS).map((text) => `(${text})`) },
    {
      weight: 4,
      arbitrary: fc
        .tuple(tie('node'), fc.constantFrom('&&', '||'), tie('node'))
        .map((parts) => `(${parts.join(' ')})`),
    },
    { weight: 3, arbitrary: tie('node').map((inner) => `!${inner}`) },
    {
      weight: 2,
      arbitrary: fc
        .tuple(tie('node'), tie('node'), tie('node'))
        .map(([test, yes, no]) => `(${test} ? ${yes} : ${no})`),
    },
    { weight: 1, arbitrary: fc.constantFrom(...CONDITIONS).chain(mutatedText) },
    { weight: 1, arbitrary: fc.constantFrom(...HOSTILE) },
  ),
})).node;

const strict = fc.record({ verdict: fc.constantFrom('CHALLENGE', 'BLOCK'), exempt: fc.constant(false) });
const lenient = fc.record({ verdict: fc.constant('ALLOW'), exempt: fc.boolean() });
const rule = fc
  .record({
    when: conditions,
    effect: fc.oneof({ weight: 4, arbitrary: strict }, { weight: 1, arbitrary: lenient }),
    on_unknown: fc.constantFrom('CHALLENGE', 'BLOCK', 'IGNORE'),
  })
  .map(({ effect, ...rest }) => ({ ...rest, ...effect }));
const documents = fc
  .record({ otherwise: fc.constantFrom(...VERDICTS), rules: fc.array(rule, { minLength: 1, maxLength: 4 }) })
  .map(({ otherwise, rules }) => ({
    policy: 'fuzz',
    otherwise,
    rules: rules.map((fields, index) => ({ id: `rule-${index}`, reason: `RULE_${index}`, ...fields })),
  }));
/**
 * Whole files: those of this repository with their text or their values changed, and new ones. JSON is YAML.
 */
const files = fc.oneof(
  { weight: 3, arbitrary: documents.map((document) => JSON.stringify(document)) },
  { weight: 1, arbitrary: documents.chain(mutatedJson) },
  {
    weight: 2,
    arbitrary: fc.constantFrom(...TEXTS).chain((text) => mutatedJson(readYaml(text))),
  },
  { weight: 3, arbitrary: fc.constantFrom(...TEXTS).chain(mutatedText) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
);

const outcomes = fc.tuple(
  ...VENDORS.map(({ id }) =>
    fc.constantFrom(...OUTCOMES.filter((outcome) => outcome !== 'unsupported' || id === 'mobilerun')),
  ),
);
const losses = fc.tuple(...VENDORS.map(() => fc.option(fc.constantFrom<Outcome>(...INDEFINITE_OUTCOMES))));

function load(text: string) {
  return loadPolicy(text, {
    providers: VENDORS,
    parse: parseYaml,
    compilePattern: compileLinearPattern,
    sha256: () => 'of-no-concern',
  });
}

/** One entry for each provider of the policy, in its order. */
function evidenceFor(policy: CompiledPolicy, list: readonly Outcome[]): readonly PolicyEvidence[] {
  return policy.providerIds.map((id) =>
    evidenceOf(id, list[VENDORS.findIndex((provider) => provider.id === id)] ?? 'skipped'),
  );
}

interface Tally {
  loaded: number;
  refused: number;
  stricter: number;
}

/**
 * True of every file: it is refused with mistakes that have a place, or it is evaluated, and losing evidence
 * makes no verdict an ALLOW, unless a waiver says so, where one `excuses`.
 */
function isSafe(some: fc.Arbitrary<string>, seen: Tally, excuses: boolean) {
  return fc.property(
    some,
    outcomes,
    losses,
    requests(),
    wholeCustody(),
    (text, whole, lost, request, custody) => {
      const result = load(text);
      if (!result.ok) {
        seen.refused += 1;
        return result.mistakes.length > 0 && result.mistakes.every((mistake) => /^\d+:\d+: \S/.test(mistake));
      }
      seen.loaded += 1;
      const policy = result.value;
      const before = evaluatePolicy(policy, evidenceFor(policy, whole), request, { telemetry: custody });
      const remaining = whole.map((outcome, place) => lost[place] ?? outcome);
      const after = evaluatePolicy(policy, evidenceFor(policy, remaining), request, { telemetry: custody });
      if (!VERDICTS.includes(before.verdict) || !VERDICTS.includes(after.verdict)) return false;
      if (before.verdict === 'ALLOW') return true;
      seen.stricter += 1;
      return after.verdict !== 'ALLOW' || (excuses && after.waivers.length > 0);
    },
  );
}

t.test('loads or refuses any file, and never allows more for less evidence by what it loads', async (t) => {
  const seen: Tally = { loaded: 0, refused: 0, stricter: 0 };
  fc.assert(isSafe(files, seen, true), fuzzRun(t, 1_500));
  t.comment(JSON.stringify(seen));
  const all = seen.loaded + seen.refused;
  t.ok(all > 0 && seen.loaded > all / 15);
  t.ok(seen.refused > all / 15);
  t.ok(seen.stricter > all / 30);
});

t.test('would notice an ALLOW for less evidence', async (t) => {
  const seen: Tally = { loaded: 0, refused: 0, stricter: 0 };
  // Waivers are the one way there is to get one.
  const waived = documents.map(({ rules, ...rest }) =>
    JSON.stringify({
      ...rest,
      otherwise: 'ALLOW',
      rules: rules.map((fields) => ({ ...fields, on_unknown: 'IGNORE' })),
    }),
  );
  const result = fc.check(isSafe(waived, seen, false), { ...fuzzRun(t, 1_000), endOnFailure: true });
  t.ok(result.failed);
});
