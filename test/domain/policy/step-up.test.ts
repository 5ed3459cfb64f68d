import fc from 'fast-check';
import t from 'tap';
import { compilePolicy } from '../../../src/domain/policy/compile.ts';
import { evaluatePolicy } from '../../../src/domain/policy/evaluate.ts';
import type { RequestSignals } from '../../../src/domain/policy/request-signals.ts';
import {
  NEVER_STEPPED_UP,
  type StepUpSignals,
  toStepUpSignals,
} from '../../../src/domain/policy/step-up-signals.ts';
import { strictnessOf } from '../../../src/domain/verdict.ts';
import {
  definiteEvidence,
  indefiniteEvidence,
  policyDocuments,
  requests,
  wholeCustody,
} from '../../support/policy-arbitraries.ts';
import {
  COMPILE_OPTIONS,
  compiled,
  compiledIfCheap,
  documentOf,
  ok,
  rule,
  TIMEOUT,
} from '../../support/policy-fixture.ts';

const REQUEST: RequestSignals = {
  telemetry_id_present: true,
  device_id_present: true,
  device_id_given: true,
};
const CHALLENGE = { verdict: 'CHALLENGE', step_up: '30m' };
const stepUp = (fields: Partial<StepUpSignals> = {}): StepUpSignals => ({
  age_seconds: 60,
  method: 'otp',
  acr: '',
  ...fields,
});

function mistakesOf(fields: Record<string, unknown>, document: Record<string, unknown> = {}): string[] {
  const result = compilePolicy(documentOf([rule('a.found', fields)], document), COMPILE_OPTIONS);
  if (result.ok) return [];
  return result.mistakes.map(({ path, message }) => `${path.join('.')} ${message}`);
}

/** Judges by rules, each true for its own action; `a` answers with one of them. */
function judge(
  rules: readonly Record<string, unknown>[],
  step_up: StepUpSignals | 'none' | 'unknown' | undefined,
  document: Record<string, unknown> = {},
  evidence = [ok(), ok()],
) {
  const numbered = rules.map((fields, place) => rule('a.found', { id: `rule-${place}`, ...fields }));
  const facts = step_up === undefined ? {} : { step_up };
  return evaluatePolicy(compiled(documentOf(numbered, document)), evidence, REQUEST, facts);
}

t.test('takes a duration, a parameter, and an acr of the list', async (t) => {
  t.same(mistakesOf(CHALLENGE), []);
  const parameters = { lasts: { type: 'duration', value: '1d' } };
  t.same(mistakesOf({ ...CHALLENGE, step_up: 'params.lasts' }, { parameters }), []);
  t.same(mistakesOf({ ...CHALLENGE, min_acr: 'b' }, { acr_values: ['a', 'b'] }), []);
});

t.test('refuses what no step-up can satisfy, or not as written', async (t) => {
  const blocks = ['rules.0.step_up is for a rule with the verdict CHALLENGE, and this is BLOCK'];
  t.same(mistakesOf({ step_up: '30m' }), blocks);
  t.match(mistakesOf({ verdict: 'ALLOW', step_up: '30m' }), [/and this is ALLOW/]);
  t.same(mistakesOf({ verdict: 'CHALLENGE', min_acr: 'a' }, { acr_values: ['a'] }), [
    'rules.0.min_acr is for a rule with step_up',
  ]);
  for (const [written, message] of [
    ['0s', /must be between 1s and 30d/],
    ['31d', /must be between 1s and 30d/],
    ['half an hour', /must be a whole number and a unit.*or params\.<name>/],
    ['params.x.y', /must be between 1s and 30d/],
    ['params.lats', /no parameter "lats" at the top of the file: did you mean "lasts"\?/],
    ['params.other', /no parameter "other" at the top of the file$/],
    ['params.five', /the parameter "five" is of type int, not duration/],
    [1800, /must be a whole number and a unit/],
  ] as const) {
    const parameters = { lasts: { type: 'duration', value: '1d' }, five: { type: 'int', value: 5 } };
    t.match(mistakesOf({ ...CHALLENGE, step_up: written }, { parameters }), [message], String(written));
  }
  const acr_values = ['silver', 'gold'];
  t.match(mistakesOf({ ...CHALLENGE, min_acr: 'gould' }, { acr_values }), [
    /rules\.0\.min_acr is not among the acr_values at the top of the file: did you mean "gold"\?/,
  ]);
  t.match(mistakesOf({ ...CHALLENGE, min_acr: 'platinum' }), [
    /is not among the acr_values at the top of the file$/,
  ]);
  t.match(mistakesOf(CHALLENGE, { acr_values: ['a', 'a'] }), [/acr_values names one twice/]);
  t.match(mistakesOf(CHALLENGE, { acr_values: ['a b'] }), [/printable ASCII/]);
});

t.test('satisfies a CHALLENGE by a younger step-up, and marks the reason', async (t) => {
  const young = judge([CHALLENGE], stepUp({ age_seconds: 1799 }));
  t.match(young, { verdict: 'ALLOW', challenge: null, satisfiedSeconds: 1 });
  t.match(young.reasons, [
    {
      rule: 'rule-0',
      verdict: 'CHALLENGE',
      satisfied: true,
      step_up: { age_seconds: 1799, method: 'otp', acr: null },
    },
  ]);
  for (const none of [
    stepUp({ age_seconds: 1800 }),
    'none',
    'unknown',
    undefined,
    NEVER_STEPPED_UP,
  ] as const) {
    const open = judge([CHALLENGE], none);
    t.match(open, { verdict: 'CHALLENGE', challenge: { acr_values: [], max_age_seconds: 1800 } });
    t.notOk('satisfied' in (open.reasons[0] ?? {}));
    t.equal(open.satisfiedSeconds, null);
  }
});

t.test('satisfies an unknown CHALLENGE of such a rule', async (t) => {
  const lost = [TIMEOUT, ok()];
  t.match(judge([CHALLENGE], stepUp(), {}, lost), {
    verdict: 'ALLOW',
    reasons: [{ certain: false, satisfied: true }],
  });
  const strict = judge([{ ...CHALLENGE, on_unknown: 'BLOCK' }], stepUp(), {}, lost);
  t.match(strict, { verdict: 'BLOCK' });
  t.notOk('satisfied' in (strict.reasons[0] ?? {}));
});

t.test('leaves the CHALLENGE that lost evidence makes of a BLOCK', async (t) => {
  const judged = judge([{}, CHALLENGE], stepUp(), {}, [TIMEOUT, ok()]);
  t.match(judged, {
    verdict: 'CHALLENGE',
    reasons: [{ rule: 'rule-0' }, { rule: 'rule-1', satisfied: true }],
    challenge: { acr_values: [], max_age_seconds: null },
    satisfiedSeconds: null,
  });
});

t.test('never satisfies a BLOCK, nor what the policy itself answers', async (t) => {
  const blocked = judge([CHALLENGE, {}], stepUp());
  t.match(blocked, { verdict: 'BLOCK', challenge: null, satisfiedSeconds: null });
  t.match(judge([{ ...CHALLENGE, when: '!a.found' }], stepUp(), { otherwise: 'CHALLENGE' }), {
    verdict: 'CHALLENGE',
    challenge: { acr_values: [], max_age_seconds: null },
  });
  t.equal(judge([CHALLENGE], stepUp(), { otherwise: 'BLOCK' }).verdict, 'ALLOW');
});

t.test('satisfies no unknown rule where the policy refuses what no rule allows', async (t) => {
  const lost = [TIMEOUT, ok()];
  for (const otherwise of ['CHALLENGE', 'BLOCK']) {
    const challenged = judge(
      [{ ...CHALLENGE, min_acr: 'b' }],
      stepUp(),
      { otherwise, acr_values: ['b'] },
      lost,
    );
    t.match(challenged, { verdict: 'CHALLENGE', satisfiedSeconds: null }, otherwise);
    t.same(challenged.challenge, { acr_values: [], max_age_seconds: null }, 'and promises nothing');
    const other = [{ ...CHALLENGE, when: 'b.found' }, CHALLENGE];
    t.match(judge(other, stepUp(), { otherwise }, lost).challenge, { max_age_seconds: null });
    t.notOk(
      challenged.reasons.some(({ satisfied }) => satisfied),
      otherwise,
    );
  }
  t.equal(judge([CHALLENGE], stepUp(), { otherwise: 'ALLOW' }, lost).verdict, 'ALLOW');
});

t.test('asks for the shortest age and the strictest acr of all that challenge', async (t) => {
  const acr_values = ['bronze', 'silver', 'gold'];
  const rules = [
    { ...CHALLENGE, min_acr: 'silver' },
    { ...CHALLENGE, step_up: '5m', min_acr: 'gold' },
    { ...CHALLENGE, step_up: '1h' },
  ];
  const demand = (given: StepUpSignals | 'none') => judge(rules, given, { acr_values }).challenge;
  t.same(demand('none'), { acr_values: ['gold'], max_age_seconds: 300 });
  t.same(demand(stepUp({ acr: 'silver' })), { acr_values: ['gold'], max_age_seconds: 300 });
  t.same(demand(stepUp({ acr: 'gold', age_seconds: 400 })), { acr_values: ['gold'], max_age_seconds: 300 });
  t.equal(demand(stepUp({ acr: 'gold' })), null);
  t.same(demand(stepUp({ acr: 'platinum' })), { acr_values: ['gold'], max_age_seconds: 300 });
  t.match(judge(rules.slice(0, 1), stepUp(), { acr_values }), {
    verdict: 'CHALLENGE',
    challenge: { acr_values: ['silver', 'gold'], max_age_seconds: 1800 },
  });
});

t.test('lets conditions read a step-up, and one that there is none of as older than any', async (t) => {
  const policy = compiled(
    documentOf([
      rule('step_up.age_seconds > 300', { id: 'old' }),
      rule('step_up.method != "hwk"', { id: 'weak' }),
      rule('step_up.acr == ""', { id: 'no-acr' }),
    ]),
  );
  const resultsOf = (step_up: StepUpSignals | 'unknown') =>
    evaluatePolicy(policy, [ok(), ok()], REQUEST, { step_up }).trace.map(({ result }) => result);
  t.same(resultsOf({ age_seconds: 300, method: 'hwk', acr: 'x' }), ['false', 'false', 'false']);
  t.same(resultsOf(NEVER_STEPPED_UP), ['true', 'true', 'true']);
  t.same(resultsOf('unknown'), ['unknown', 'unknown', 'unknown']);
  t.match(
    evaluatePolicy(policy, [ok(), ok()], REQUEST, { step_up: 'unknown' }).trace[0]?.why,
    'step-ups unavailable',
  );
});

t.test('turns what is known of a step-up into signals', async (t) => {
  const nowMs = 1_000_000_000;
  const signalsOf = (ageMs: number) =>
    toStepUpSignals({ atMs: nowMs - ageMs, method: 'otp', acr: null }, nowMs);
  t.same(signalsOf(5_000), { age_seconds: 5, method: 'otp', acr: '' });
  t.same(toStepUpSignals({ atMs: nowMs, method: null, acr: 'x' }, nowMs), {
    age_seconds: 0,
    method: '',
    acr: 'x',
  });
  t.equal(signalsOf(-60_000), 'unknown');
  t.equal(toStepUpSignals('unknown', nowMs), 'unknown');
});

/** A document in which the rules that challenge take step-ups, by the bits of `taken`. */
function withStepUps(document: Record<string, unknown>, taken: number): Record<string, unknown> {
  const rules = (document['rules'] as Record<string, unknown>[]).map((each, place) => {
    const isTaken = each['verdict'] === 'CHALLENGE' && (taken & (1 << (place % 8))) !== 0;
    const min_acr = taken & (1 << ((place + 3) % 8)) ? { min_acr: 'gold' } : {};
    return isTaken ? { ...each, step_up: '30m', ...min_acr } : each;
  });
  return { ...document, rules, acr_values: ['silver', 'gold'] };
}

const stepUps = () =>
  fc.record({
    age_seconds: fc.constantFrom(0, 1799, 1800, 5_000_000),
    method: fc.constantFrom('', 'otp'),
    acr: fc.constantFrom('', 'silver', 'gold', 'other'),
  });
const RUNS = { numRuns: 2000, seed: 20261130 };

t.test('never makes a BLOCK milder by a step-up, and no answer milder by losing one', async (t) => {
  let [milder, blocks] = [0, 0];
  fc.assert(
    fc.property(
      policyDocuments(),
      fc.integer({ min: 0, max: 255 }),
      fc.tuple(definiteEvidence(), fc.oneof(definiteEvidence(), indefiniteEvidence())),
      requests(),
      wholeCustody(),
      stepUps(),
      fc.constantFrom('none', 'unknown', undefined),
      (document, taken, evidence, request, telemetry, given, without) => {
        const policy = compiledIfCheap(withStepUps(document, taken));
        fc.pre(policy !== null);
        // The judgement with it comes first: the one without must not carry anything of it.
        const before = evaluatePolicy(policy, evidence, request, { telemetry, step_up: given });
        const after = evaluatePolicy(policy, evidence, request, { telemetry, step_up: without });
        const fresh = compiledIfCheap(withStepUps(document, taken));
        if (fresh === null) return false;
        const apart = evaluatePolicy(fresh, evidence, request, { telemetry, step_up: without });
        if (JSON.stringify(apart) !== JSON.stringify(after)) return false;
        if (before.verdict !== after.verdict) milder += 1;
        if (after.verdict === 'BLOCK') {
          blocks += 1;
          return before.verdict === 'BLOCK';
        }
        return (
          strictnessOf(after.verdict) >= strictnessOf(before.verdict) &&
          after.trace.length === before.trace.length
        );
      },
    ),
    RUNS,
  );
  t.ok(milder > 20, `${milder} were let in by a step-up`);
  t.ok(blocks > 50, `${blocks} were blocked`);
});

t.test('never turns a stricter verdict into ALLOW by losing evidence beside a step-up', async (t) => {
  let stricter = 0;
  fc.assert(
    fc.property(
      policyDocuments(),
      fc.integer({ min: 0, max: 255 }),
      fc.tuple(definiteEvidence(), definiteEvidence()),
      fc.tuple(indefiniteEvidence(), indefiniteEvidence()),
      fc.integer({ min: 1, max: 3 }),
      requests(),
      wholeCustody(),
      stepUps(),
      (document, taken, whole, lost, mask, request, telemetry, step_up) => {
        const policy = compiledIfCheap(withStepUps(document, taken));
        fc.pre(policy !== null);
        const facts = { telemetry, step_up };
        const left = whole.map((piece, place) => (mask & (1 << place) ? (lost[place] ?? piece) : piece));
        if (evaluatePolicy(policy, whole, request, facts).verdict === 'ALLOW') return true;
        stricter += 1;
        const after = evaluatePolicy(policy, left, request, facts);
        return after.verdict !== 'ALLOW' || after.waivers.length > 0;
      },
    ),
    RUNS,
  );
  t.ok(stricter > 300, `${stricter} runs began with a stricter verdict`);
});
