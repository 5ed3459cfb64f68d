import fc from 'fast-check';
import t from 'tap';
import type { Contradiction, Family, Finding } from '../../../src/domain/contradictions/contradiction.ts';
import { CONTRADICTIONS_FACT } from '../../../src/domain/contradictions/contradiction-signals.ts';
import {
  toContradictionPlan,
  toContradictionSignals,
} from '../../../src/domain/contradictions/find-contradictions.ts';
import { CONTRADICTIONS } from '../../../src/domain/contradictions/registry.ts';
import { recordedFactOf, toRecordedFacts } from '../../../src/domain/decision-log/recorded-facts.ts';
import { compilePolicy } from '../../../src/domain/policy/compile.ts';
import { evaluatePolicy } from '../../../src/domain/policy/evaluate.ts';
import { numberParameters } from '../../../src/domain/policy/fact-parameters.ts';
import { strictnessOf } from '../../../src/domain/verdict.ts';
import { COMPILE_OPTIONS, compiled, documentOf, ok, rule, TIMEOUT } from '../../support/policy-fixture.ts';

const FOUND = { result: true, because: { km: 900 } } as const;
const CLEAN = { result: false, because: { km: 9 } } as const;
const REQUEST = { telemetry_id_present: true, device_id_present: true, device_id_given: true };
const ALL = toContradictionPlan([['count']], {});

/** The fact where the first contradictions came to these, and the others to nothing. */
function factOf(...findings: readonly Finding[]) {
  const all = CONTRADICTIONS.map((_, place) => findings[place] ?? 'none');
  return { contradictions: toContradictionSignals(ALL, all) };
}

function judge(when: string, findings: readonly Finding[], fields: Record<string, unknown> = {}) {
  const policy = compiled(documentOf([rule(when, { verdict: 'CHALLENGE', ...fields })]));
  const judgement = evaluatePolicy(policy, [ok(), ok()], REQUEST, factOf(...findings));
  return { result: judgement.trace[0]?.result, why: judgement.trace[0]?.why, judgement };
}

const [first, second] = CONTRADICTIONS.map(({ id }) => id);

t.test('reads a contradiction as true, false, unknown or inert', async (t) => {
  const when = `contradictions.${first}`;
  t.equal(judge(when, [FOUND]).result, 'true');
  t.equal(judge(when, [CLEAN]).result, 'false');
  const { result, why, judgement } = judge(when, ['unknown']);
  t.match({ result, why }, { result: 'unknown', why: `contradictions.${first} unknown` });
  t.match(judgement, { verdict: 'CHALLENGE', degraded: true });
  const inert = judge(when, ['none']);
  t.match(inert, { result: 'inert', why: `contradictions.${first}: nothing to compare` });
  t.match(inert.judgement, { verdict: 'ALLOW', degraded: false, reasons: [] });
});

t.test('does not take what cannot be compared for something that agrees', async (t) => {
  const { result, judgement } = judge(`!contradictions.${first}`, ['none'], { verdict: 'BLOCK' });
  t.equal(result, 'unknown');
  t.equal(judgement.verdict, 'CHALLENGE');
  const mixed = judge(`contradictions.${first} && contradictions.${second}`, ['none', 'unknown']);
  t.equal(mixed.result, 'inert', 'it cannot be true, whatever was lost of the other');
  t.equal(judge(`contradictions.${first} || contradictions.${second}`, ['none', FOUND]).result, 'true');
  t.equal(
    judge(`contradictions.${first} || a.net.country == "X"`, ['none']).result,
    'unknown',
    'a signal is absent',
  );
});

t.test('compares a count with what is certain and with what could be', async (t) => {
  const when = 'contradictions.count >= 2';
  t.equal(judge(when, [FOUND, FOUND, 'unknown']).result, 'true', 'enough are certain');
  t.equal(judge(when, [FOUND, 'unknown', 'none']).result, 'unknown', 'the unknown one decides');
  t.equal(judge(when, ['unknown', 'none', CLEAN]).result, 'false', 'it can be one at most');
  t.equal(judge(when, [CLEAN, 'none', 'none']).result, 'false');
  t.equal(judge('contradictions.count == 0', ['unknown']).result, 'unknown');
  t.equal(judge('contradictions.count < 2', ['unknown', CLEAN]).result, 'true');
  t.equal(
    judge('contradictions.count * 2 > 3', [FOUND, FOUND, 'unknown']).result,
    'true',
    'the interpreter too',
  );
  t.equal(judge('contradictions.count * 2 > 3', [FOUND, 'unknown']).result, 'unknown');
  t.match(judge(when, [FOUND, 'unknown']).why, 'contradictions.count unknown');
});

t.test('counts families, and names the strongest', async (t) => {
  const of = (id: string, family: Family): Contradiction => ({
    id,
    family,
    meaning: '',
    reads: [],
    find: () => 'none',
  });
  const wanted = [of('x', 'place'), of('y', 'client'), of('z', 'time'), of('w', 'time')];
  t.same(toContradictionSignals({ wanted, hasTotals: true }, [FOUND, 'unknown', CLEAN, 'none']), {
    x: true,
    z: false,
    strongest: 'x',
    between: { count: { least: 1, most: 2 }, families: { least: 1, most: 2 } },
    none: ['w'],
    because: { x: { km: 900 }, z: { km: 9 } },
  });
  const families = new Set<Family>();
  const each = CONTRADICTIONS.map(({ family }): Finding => {
    const isNew = !families.has(family) && families.size < 2;
    if (isNew) families.add(family);
    return isNew ? FOUND : CLEAN;
  });
  t.equal(judge('contradictions.families >= 2', each).result, 'true');
  t.equal(judge('contradictions.families >= 3', each).result, 'false');
  t.equal(judge(`contradictions.strongest == "${second}"`, [CLEAN, FOUND]).result, 'true');
  t.equal(judge(`contradictions.strongest == "${second}"`, ['unknown', FOUND]).result, 'unknown');
  t.equal(judge('contradictions.strongest == ""', []).result, 'true');
});

t.test('counts two of one family as one', async (t) => {
  const of = (id: string) => ({ ...CONTRADICTIONS[0], id, family: 'place' }) as (typeof CONTRADICTIONS)[0];
  const plan = { wanted: [of('x'), of('y')], hasTotals: true, params: {} };
  t.match(toContradictionSignals(plan, [FOUND, FOUND]), { count: 2, families: 1, strongest: 'x' });
  t.match(toContradictionSignals(plan, [FOUND, 'unknown']), {
    families: 1,
    between: { count: { least: 1, most: 2 } },
  });
});

t.test('shares judgements with decisions that have the same findings, and with no others', async (t) => {
  const policy = compiled(
    documentOf([
      rule('contradictions.count >= 2', { verdict: 'CHALLENGE' }),
      rule(`contradictions.${first}`, { id: 'first' }),
    ]),
  );
  const judgeOf = (...findings: readonly Finding[]) =>
    evaluatePolicy(policy, [ok(), ok()], REQUEST, factOf(...findings));
  t.equal(judgeOf(FOUND, FOUND, 'unknown'), judgeOf(FOUND, FOUND, 'unknown'));
  const resultsOf = (...findings: readonly Finding[]) =>
    judgeOf(...findings).trace.map(({ result }) => result);
  const all: readonly Finding[] = [FOUND, CLEAN, 'unknown', 'none'];
  const fresh = new Map<string, readonly unknown[]>();
  for (let round = 0; round < 2; round += 1)
    for (const one of all)
      for (const other of all) {
        const key = JSON.stringify([one, other]);
        const results = resultsOf(one, other);
        t.same(results, fresh.get(key) ?? results);
        fresh.set(key, results);
      }
});

t.test('knows nothing to compare from nothing lost, whichever came before', async (t) => {
  const orders: readonly (readonly Finding[])[] = [
    [CLEAN, 'none', FOUND],
    ['none', CLEAN, 'none'],
  ];
  for (const order of orders) {
    const policy = compiled(documentOf([rule(`contradictions.${first}`)]));
    const results = order.map(
      (finding) => evaluatePolicy(policy, [ok(), ok()], REQUEST, factOf(finding)).trace[0]?.result,
    );
    const expected = order.map((finding) => (finding === 'none' ? 'inert' : String(finding === FOUND)));
    t.same(results, expected);
  }
});

t.test('never becomes milder by what was lost', async (t) => {
  const conditions = fc.constantFrom(
    'contradictions.count >= 1',
    'contradictions.count >= 2',
    'contradictions.count == 2 || a.found',
    'contradictions.families >= 2 && a.action == "BLOCK"',
    `contradictions.${first} || contradictions.count > 1`,
    `contradictions.${first} && contradictions.${second}`,
    `contradictions.strongest == "${second}"`,
    `contradictions.${first} && providers.a.outcome == "ok"`,
    'contradictions.count + contradictions.families > 2',
  );
  const finding = fc.constantFrom<Finding>(FOUND, CLEAN, 'none');
  const findings = fc.array(finding, { minLength: CONTRADICTIONS.length, maxLength: CONTRADICTIONS.length });
  fc.assert(
    fc.property(
      fc.array(conditions, { minLength: 1, maxLength: 3 }),
      findings,
      fc.array(fc.boolean(), { minLength: CONTRADICTIONS.length, maxLength: CONTRADICTIONS.length }),
      fc.boolean(),
      (whens, whole, lost, isLost) => {
        const policy = compiled(
          documentOf(whens.map((when, id) => rule(when, { id: `r-${id}`, verdict: 'CHALLENGE' }))),
        );
        const a = ok({ action: 'BLOCK' });
        const before = evaluatePolicy(policy, [a, ok()], REQUEST, factOf(...whole));
        const rest = whole.map((each, place) => (lost[place] && each !== 'none' ? 'unknown' : each));
        const after = evaluatePolicy(policy, [isLost ? TIMEOUT : a, ok()], REQUEST, factOf(...rest));
        if (strictnessOf(after.verdict) < strictnessOf(before.verdict)) throw new Error('milder');
      },
    ),
    { numRuns: 1000 },
  );
  t.pass();
});

t.test('is judged again by what a record keeps of it, with the same trace', async (t) => {
  const policy = compiled(
    documentOf([
      rule('contradictions.count >= 2', { verdict: 'CHALLENGE' }),
      rule(`contradictions.${first} || contradictions.${second}`, { id: 'either' }),
      rule('contradictions.families < 2 && contradictions.strongest != ""', { id: 'alone' }),
    ]),
  );
  const evidence = [ok(), ok()];
  const finding = fc.constantFrom<Finding>(FOUND, CLEAN, 'none', 'unknown');
  fc.assert(
    fc.property(fc.array(finding, { maxLength: CONTRADICTIONS.length }), (findings) => {
      const facts = factOf(...findings);
      const kept = JSON.stringify(toRecordedFacts(['contradictions'], facts));
      const again = { contradictions: recordedFactOf(JSON.parse(kept), 'contradictions') };
      const [before, after] = [facts, again].map((each) => evaluatePolicy(policy, evidence, REQUEST, each));
      if (JSON.stringify(before) !== JSON.stringify(after)) throw new Error('another judgement');
    }),
  );
  t.pass();
});

t.test('is unknown as a whole where nobody tells it, or what is told makes no sense', async (t) => {
  const policy = compiled(documentOf([rule('contradictions.count >= 2', { verdict: 'CHALLENGE' })]));
  const resultOf = (facts: object) =>
    evaluatePolicy(policy, [ok(), ok()], REQUEST, facts as Record<string, 'unknown'>).trace[0];
  t.match(resultOf({}), { result: 'unknown', why: 'contradictions unavailable' });
  for (const between of [
    null,
    7,
    {},
    { count: 7 },
    { count: { least: 3, most: 1 } },
    { count: { least: -1, most: 1 } },
  ])
    t.match(resultOf({ contradictions: { between } }), { result: 'unknown' }, JSON.stringify(between));
  const huge = { between: { count: { least: 0, most: 1e9 } } };
  t.match(resultOf({ contradictions: huge }), { result: 'unknown' }, 'is tried with as many as there are');
  t.match(resultOf({ contradictions: { none: 'count' } }), { result: 'unknown' });
});

t.test('takes parameters that are numbers above 0, and calls them read', async (t) => {
  const when = 'contradictions.travel';
  const compile = (parameter: object) =>
    compilePolicy(documentOf([rule(when)], { parameters: { travel_kmh: parameter } }), COMPILE_OPTIONS);
  t.equal(compile({ type: 'int', value: 700 }).ok, true);
  t.equal(compile({ type: 'double', value: 700.5 }).ok, true);
  for (const parameter of [
    { type: 'int', value: 0 },
    { type: 'string', value: 'fast' },
    { type: 'list<int>', value: [700] },
  ]) {
    const result = compile(parameter);
    t.match(!result.ok && result.mistakes, [
      { path: ['parameters', 'travel_kmh'], message: 'must be a number above 0: contradictions reads it' },
    ]);
  }
  const unread = documentOf([rule('contradictions.clock')], {
    parameters: { travel_kmh: { type: 'int', value: 7 } },
  });
  t.match(compilePolicy(unread, COMPILE_OPTIONS), { ok: false });
  t.same(toContradictionPlan([['travel']], { travel_kmh: 700 }).params, { travel_kmh: 700 });
  t.same(toContradictionPlan([['travel']], {}).params, { travel_kmh: 1000 });
});

t.test('reads the parameters that are numbers, a duration as its seconds', async (t) => {
  const parameters = {
    travel_kmh: { type: 'int', value: 700 },
    waits: { type: 'duration', value: '1m' },
    name: { type: 'string', value: 'x' },
  };
  const when = 'contradictions.travel && params.waits > 1 && params.name == "x"';
  const { document } = compiled(documentOf([rule(when)], { parameters }));
  t.same(numberParameters(document), { travel_kmh: 700, waits: 60 });
  const duration = { travel_kmh: { type: 'duration', value: '0s' } };
  t.equal(compilePolicy(documentOf([rule(when)], { parameters: duration }), COMPILE_OPTIONS).ok, false);
});

t.test('looks for those that are read, and for all where a total is', async (t) => {
  t.same(
    toContradictionPlan([['clock']], {}).wanted.map(({ id }) => id),
    ['clock'],
  );
  t.same(toContradictionPlan([['families']], {}).wanted, CONTRADICTIONS);
  t.same(toContradictionSignals(toContradictionPlan([['clock']], {}), [FOUND]), {
    clock: true,
    because: { clock: { km: 900 } },
  });
  const asked = (when: string) => compiled(documentOf([rule(when)])).factsAsked;
  t.same(asked('contradictions.clock'), ['contradictions', 'telemetry']);
  t.same(asked('contradictions.seen_elsewhere'), ['contradictions']);
  t.same(asked('a.found'), []);
});

t.test('says what it tells in a word that no contradiction has', async (t) => {
  const fields = [...CONTRADICTIONS_FACT.typeOf(null).fields.keys()];
  t.equal(new Set(fields).size, fields.length);
  for (const name of ['none', 'between', 'because']) t.notOk(fields.includes(name));
});
