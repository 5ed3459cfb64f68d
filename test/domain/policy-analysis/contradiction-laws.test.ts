import t from 'tap';
import { toSpaceProviders } from '../../../src/app/space-providers.ts';
import type { ContradictionInput, Finding, Side } from '../../../src/domain/contradictions/contradiction.ts';
import { TOTALS } from '../../../src/domain/contradictions/contradiction-signals.ts';
import {
  toContradictionPlan,
  toContradictionSignals,
} from '../../../src/domain/contradictions/find-contradictions.ts';
import { possibleTogether, possibleValues } from '../../../src/domain/contradictions/possible-signals.ts';
import { CONTRADICTIONS } from '../../../src/domain/contradictions/registry.ts';
import { OUTCOMES, type Outcome, type Signals } from '../../../src/domain/evidence.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import { compilePolicy } from '../../../src/domain/policy/compile.ts';
import { analyzePolicy } from '../../../src/domain/policy-analysis/analyze-policy.ts';
import { buildSpace } from '../../../src/domain/policy-analysis/build-space.ts';
import { checkNever } from '../../../src/domain/policy-analysis/check-never.ts';
import { findConstraints } from '../../../src/domain/policy-analysis/constraints.ts';
import type { Space } from '../../../src/domain/policy-analysis/dimension.ts';
import { compileLinearPattern } from '../../../src/platform/linear-pattern.ts';
import { PROVIDERS } from '../../../src/providers/registry.ts';
import { cellsOf, type EngineInput } from '../../support/cell-of-input.ts';
import { COMPILE_OPTIONS, documentOf, rule } from '../../support/policy-fixture.ts';
import { SITUATIONS, toInput } from '../contradictions/situations.ts';

const SPACE_PROVIDERS = toSpaceProviders(PROVIDERS);
const COMPARED = ['stytch', 'mobilerun', 'prefactor'] as const;
const REQUEST = { telemetry_id_present: true, device_id_present: true, device_id_given: true };

function load(document: object): CompiledPolicy {
  const result = compilePolicy(document, { ...COMPILE_OPTIONS, providers: PROVIDERS });
  if (!result.ok) throw new Error(JSON.stringify(result.mistakes));
  return result.value;
}

function toSpace(whens: readonly string[]): Space {
  const policy = load(
    documentOf(whens.map((when, place) => rule(when, { id: `rule-${place}`, verdict: 'BLOCK' }))),
  );
  return buildSpace(
    policy.rules.map((each) => ({ policy: 0, rule: each })),
    [policy],
    SPACE_PROVIDERS,
  );
}

function permits(space: Space, input: EngineInput): boolean {
  const isOfContradictions = (place: number) => space.dimensions[place]?.source === 'contradictions';
  const constraints = findConstraints(space).filter(({ scope }) => scope.some(isOfContradictions));
  return cellsOf(space, input).some((cell) =>
    constraints.every(({ scope, sizes, codes }) => {
      const at = scope.reduce((sum, place, index) => sum * (sizes[index] ?? 1) + (cell.get(place) ?? 0), 0);
      return codes[at] === 1;
    }),
  );
}

/** How a provider ends that gives this side. */
function outcomesOf(side: Side): readonly Outcome[] {
  if (side === 'none') return ['skipped'];
  // While it is suspect, a provider that does not know the id tells nothing.
  if (side === 'unknown') return OUTCOMES.filter((one) => !['ok', 'unsupported', 'skipped'].includes(one));
  return side.found
    ? ['ok', ...(side['supported'] === false ? (['unsupported'] as const) : [])]
    : ['not_found'];
}

/** The input with the side of one provider as the end of a call makes it. */
function endings(input: ContradictionInput): readonly ContradictionInput[] {
  const sides: readonly Side[] = ['none', 'unknown', { found: false }, { found: true, supported: false }];
  return COMPARED.flatMap((id) =>
    sides.map((side) => ({ ...input, evidence: { ...input.evidence, [id]: side } })),
  );
}

t.test('permits what each contradiction comes to, however its providers end', async (t) => {
  const spaces = new Map(
    CONTRADICTIONS.map(({ id }) => [
      id,
      toSpace([`contradictions.${id}`, ...COMPARED.map((one) => `providers.${one}.outcome == "ok"`)]),
    ]),
  );
  const seen = new Set<string>();
  const inputs = SITUATIONS.map(({ input }) => toInput(input));
  for (const input of [...inputs, ...inputs.flatMap(endings)])
    for (const { id, find } of CONTRADICTIONS) {
      const finding = find(input);
      const sides = COMPARED.map((one) => input.evidence[one]);
      const key = JSON.stringify([
        id,
        sides.map(outcomesOf),
        typeof finding === 'string' ? finding : finding.result,
      ]);
      if (seen.has(key)) continue;
      seen.add(key);
      const plan = toContradictionPlan([[id]], {});
      const facts = { contradictions: toContradictionSignals(plan, [finding]) };
      for (const outcome of outcomesOf(input.evidence.mobilerun)) {
        const pieces = COMPARED.map((one, at) => {
          const own = one === 'mobilerun' ? outcome : (outcomesOf(sides[at] ?? 'none')[0] ?? 'skipped');
          return [one, { outcome: own, signals: null as Signals | null }] as const;
        });
        const space = spaces.get(id) as Space;
        if (!permits(space, { evidence: Object.fromEntries(pieces), request: REQUEST, facts })) t.fail(key);
      }
    }
  t.ok(seen.size > 100, `${seen.size} different`);
});

t.test('permits nothing of a provider that did not answer', async (t) => {
  const check = (verdict: string, when: string) =>
    checkNever(
      load(
        documentOf(
          [
            rule('contradictions.identity_shape'),
            rule('!mobilerun.found', { id: 'other', verdict: 'CHALLENGE' }),
          ],
          {
            never: [{ verdict, when }],
          },
        ),
      ),
      SPACE_PROVIDERS,
      { compilePattern: compileLinearPattern },
    ).findings.map(({ kind }) => kind);
  t.same(check('BLOCK', 'providers.mobilerun.outcome == "timeout"'), []);
  t.same(check('BLOCK', '!mobilerun.found'), []);
  t.same(check('BLOCK', 'mobilerun.found'), ['never_violated']);
});

t.test(
  'permits anything of a provider that names what is compared although it cannot read the rest',
  async (t) => {
    const policy = load(
      documentOf([rule('contradictions.sim_country && providers.mobilerun.outcome == "unsupported"')]),
    );
    const isDead = (unsupportedSignals: Signals) => {
      const providers = SPACE_PROVIDERS.map((one) =>
        one.id === 'mobilerun' ? { ...one, unsupportedSignals } : one,
      );
      return analyzePolicy(policy, providers).findings.some(({ kind }) => kind === 'dead_rule');
    };
    t.ok(isDead({ found: true, supported: false }), 'it names nothing');
    t.notOk(isDead({ found: true, supported: false, sim_operator_numeric: 26_201 }));
  },
);

t.test('has every value that a finding of each gives, and none besides', async (t) => {
  const findings: readonly Finding[] = [
    { result: false, because: {} },
    { result: true, because: {} },
    'unknown',
    'none',
  ];
  const names = [...CONTRADICTIONS.map(({ id }) => id), ...Object.keys(TOTALS)];
  const together = new Set<string>();
  const expected = new Set<string>();
  // A law over some of them is what all findings come to, looked at in these fields alone.
  const some = ['travel', 'count', 'families', 'strongest'];
  const plan = toContradictionPlan([['count']], {});
  for (let number = 0; number < 4 ** 5; number += 1) {
    const all = CONTRADICTIONS.map(
      (_, place) => findings[place < 5 ? Math.floor(number / 4 ** place) % 4 : 3] as Finding,
    );
    const told = Object(toContradictionSignals(plan, all));
    expected.add(some.map((name) => placeOf(name, told)).join());
  }
  const found = possibleTogether(some);
  for (const one of expected) if (!found.has(one)) t.fail(one);
  for (const name of names) {
    const values = possibleValues(name);
    t.ok(values.length > 1, name);
    t.equal(possibleTogether([name]).size, values.length, `${name}: each value is possible`);
    together.add(name);
  }
  t.equal(together.size, names.length);
  t.same(possibleValues('nothing_like_it'), []);
});

function placeOf(name: string, told: Record<string, unknown>): number {
  const values = possibleValues(name);
  const between = Object(told['between'])[name];
  const isNothing = Array.isArray(told['none']) && told['none'].includes(name);
  if (isNothing) return values.findIndex((value) => JSON.stringify(value) === '{"softness":"nothing"}');
  return between === undefined
    ? values.indexOf(told[name] as boolean)
    : values.findIndex((value) => JSON.stringify(value) === JSON.stringify({ softness: between }));
}

t.test('knows totals that are read together with many contradictions', async (t) => {
  const ids = CONTRADICTIONS.map(({ id }) => id);
  const whens = [
    ...ids.map((id) => `contradictions.${id}`),
    'contradictions.count == 1',
    'contradictions.families == 2',
    'contradictions.strongest == "travel"',
  ];
  const space = toSpace(whens);
  const plan = toContradictionPlan([['count']], {});
  const told = (...results: readonly Finding[]) => {
    const findings = ids.map((_, place) => results[place] ?? { result: false, because: {} });
    return { contradictions: toContradictionSignals(plan, findings) };
  };
  const found = { result: true, because: {} };
  for (const facts of [told(), told(found), told('unknown', found), told('none', found, 'unknown', found)])
    t.ok(permits(space, { evidence: {}, request: REQUEST, facts }));
  const wrong = { contradictions: { ...Object(told(found).contradictions), count: 0 } };
  t.notOk(permits(space, { evidence: {}, request: REQUEST, facts: wrong }));
});

t.test('shows no evidence that cannot be where too much is read for one law', async (t) => {
  const ids = CONTRADICTIONS.map(({ id }) => id);
  const each = ids.map((id) =>
    rule(`contradictions.${id}`, { id: `is-${id.replaceAll('_', '-')}`, verdict: 'CHALLENGE' }),
  );
  const policy = load(
    documentOf([rule('contradictions.count >= 1', { id: 'count' }), ...each], {
      never: [
        {
          verdict: 'CHALLENGE',
          when: 'contradictions.count == 1 && contradictions.travel && contradictions.clock',
        },
        { verdict: 'BLOCK', when: 'contradictions.travel' },
      ],
    }),
  );
  const { findings } = checkNever(policy, SPACE_PROVIDERS, { compilePattern: compileLinearPattern });
  t.match(findings, [{ kind: /^never_(violated|unproven)$/, place: 1 }]);
});
