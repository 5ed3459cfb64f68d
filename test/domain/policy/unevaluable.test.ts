import fc from 'fast-check';
import t from 'tap';
import { variableTypes } from '../../../src/domain/policy/cel-environment.ts';
import { type CompiledPolicy, compilePolicy } from '../../../src/domain/policy/compile.ts';
import { evaluatePolicy } from '../../../src/domain/policy/evaluate.ts';
import type { RequestSignals } from '../../../src/domain/policy/request-signals.ts';
import { sampleSubjects } from '../../../src/domain/policy/sample-subjects.ts';
import { COMPILE_OPTIONS, compiled, documentOf, ok, rule } from '../../support/policy-fixture.ts';
import { anyConditions } from '../../support/typed-conditions.ts';

/** Conditions that no evidence can settle, with where they are refused and a word of why. */
const REFUSED: readonly [when: string, offset: number, why: RegExp][] = [
  ['timestamp("2026") > timestamp(0)', 0, /timestamp\(\)/],
  ['timestamp("yesterday, at noon") > timestamp(0)', 0, /timestamp\(\)/],
  ['timestamp(999999999999999) > timestamp(0)', 0, /timestamp\(\)/],
  ['timestamp(a.score) > timestamp(0)', 0, /types that it does not take/],
  ['timestamp(true) > timestamp(0)', 0, /types that it does not take/],
  ['timestamp(0).getHours("Nowhere") == 1', 0, /time zone/],
  ['duration("soon") > duration("1s")', 0, /Invalid duration/],
  ['duration(5) > duration("1s")', 0, /types that it does not take/],
  ['duration("") > duration("1s")', 0, /Invalid duration/],
  ['a.found && int("abc") == 1', 11, /cannot convert/],
  ['a.action == "weird" && int("abc") == 1', 23, /cannot convert/],
  ['!(int("1.5") == 1)', 2, /cannot convert/],
  ['a.found ? int("x") == 1 : true', 10, /cannot convert/],
  ['a.found ? true : double("x") == 1.0', 17, /cannot convert/],
  ['uint(-1) == 1u', 0, /cannot convert/],
  ['uint("x") == 1u', 0, /cannot convert/],
  ['bool("yes")', 0, /conversion/],
  ['a.asn / 0 == 1', 0, /division by zero/],
  ['a.asn % 0 == 1', 0, /modulo by zero/],
  ['1 / (2 - 2) == 1', 0, /division by zero/],
  ['uint(a.asn) / 0u == 1u', 0, /division by zero/],
  ['9223372036854775807 + 1 > 0', 0, /overflow/],
  ['-9223372036854775808 - 1 < 0', 0, /overflow/],
  ['9223372036854775807 * 2 > 0', 0, /overflow/],
  ['a.reasons[-1] == "X"', 0, /index/],
  ['a.reasons[100000] == "X"', 0, /index/],
  ['a.reasons[900] == "X"', 0, /index/],
  ['a.reasons[64] == "X"', 0, /index/],
  ['[1, 2][2] == 1', 0, /index/],
  ['[][0] == 1', 0, /index/],
  ['["x"]["y"] == "x"', 0, /index/],
  ['{"x": 1}["y"] == 1', 0, /No such key/],
  ['{"x": 1}.y == 1', 0, /No such key/],
  ['a.action[0] == "B"', 0, /Cannot index/],
  ['a.action["x"] == "B"', 0, /Cannot index/],
  ['a.action.substring(-1) == "B"', 0, /out of range/],
  ['"abc".substring(2, 1) == "B"', 0, /out of range/],
  ['"abc".indexOf("a", 9) == 1', 0, /out of range/],
  ['a.reasons.exists(r, int("x") == 1)', 20, /cannot convert/],
  ['a.reasons.all(r, 1 / 0 == 1)', 17, /division by zero/],
  ['a.reasons.filter(r, r == "X").exists(r, 1 / 0 == 1)', 40, /division by zero/],
  ['a.reasons.map(r, [][0]).size() == 1', 17, /index/],
  ['a.reasons.exists_one(r, "abc".substring(5) == r)', 24, /out of range/],
  ['cel.bind(v, 1 / 0, v == 1)', 12, /division by zero/],
  ['cel.bind(v, 0, 1 / v == 1)', 15, /division by zero/],
  ['{"x": int("x")}.x == 1', 6, /cannot convert/],
  ['[int("x")] == [1]', 1, /cannot convert/],
  ['int("x") in [1, 2]', 0, /cannot convert/],
  ['a.found || int(" ") == 1', 11, /cannot convert/],
  ['[1, "x"] == [1]', 4, /holds values of one type/],
  ['[a.asn, a.action] == [1]', 10, /holds values of one type/],
  ['{"x": 1, "y": "z"}.x == 1', 14, /wrong type/],
  ['a.found.exists(x, x)', 2, /./],
  ['a.action.exists(c, c == "x")', 2, /./],
  ['5 in a.reasons', 0, /types that do not fit/],
  ['"X" in a.action', 0, /types that do not fit/],
  ['a.reasons in a.reasons', 0, /types that do not fit/],
  ['has("x")', 4, /has\(\)/],
  ['has(a)', 4, /has\(\)/],
  ['has([1][0])', 4, /has\(\)/],
  ['a.asn == "5"', 0, /types that do not fit/],
  ['a.asn == 5u', 0, /types that do not fit/],
  ['a.asn == 5.0', 0, /types that do not fit/],
  ['a.asn + 1.0 == 6.0', 0, /types that do not fit/],
  ['a.action + 1 == "x1"', 0, /types that do not fit/],
  ['a.found ? 1 : "x"', 0, /same type/],
  ['a.found == "true"', 0, /types that do not fit/],
  ['b"x" == "x"', 0, /types that do not fit/],
  ['type(a.asn) == int', 0, /type\(\)/],
  ['dyn(1) == "x"', 0, /dyn\(\)/],
  ['size(5) == 1', 0, /types that it does not take/],
  ['a == a', 0, /types that do not fit/],
  ['[int(request.action)].size() + [duration(request.action)].size() == 2', 32, /Invalid duration/],
  [
    'int(request.action) == int(request.action) && duration(request.action) == duration(request.action)',
    0,
    /one and the same subject/,
  ],
];

/**
 * Odd conditions that are right as they stand, with a request that settles them beside the usual evidence.
 */
const SETTLED: readonly [when: string, request?: Partial<RequestSignals>][] = [
  ['[a.asn, 5] == [5, 5]'],
  ['a.asn in [a.asn, 1]'],
  ['{"x": a.asn, "y": 1}.x == 5'],
  ['[a.action, "X"].exists(v, v == "BLOCK")'],
  ['[a.reasons, ["X"]].size() == 2'],
  ['timestamp(a.asn) > timestamp("2020-01-01T00:00:00Z")'],
  ['timestamp(request.action) > timestamp(0)', { action: '2026-01-01T00:00:00Z' }],
  ['duration(request.action) > duration("1m")', { action: '90s' }],
  ['timestamp(a.asn) - timestamp(0) == duration("5s")'],
  ['string(a.asn) == "5"'],
  ['int(string(a.asn)) == a.asn'],
  ['uint(a.asn) == 5u'],
  ['cel.bind(n, a.asn, n + 1 == 6)'],
  ['[a.asn].exists(n, n * 2 == 10)'],
  ['a.asn % 2 == 1'],
  ['a.asn - 60 < 0'],
  ['-a.asn < 0'],
  ['a.asn / (a.asn - 4) == 5'],
  ['size(a.reasons) + a.asn == 7'],
  ['a.reasons[a.asn - 5] == "X"'],
  ['a.reasons[1] == "Y"'],
  ['a.action.substring(a.asn - 5, 1) == "B"'],
  ['a.asn < a.score'],
  ['a.asn == int(a.score)'],
  ['double(a.asn) / 2.0 > 2.0'],
  ['(a.found ? a.asn : 1) == 5'],
  ['true == (a.asn == 5)'],
  ['int(request.account_id.split("-")[1]) > 5', { account_id: 'acct-7' }],
  ['request.account_id.split("-")[2] == "x"', { account_id: 'a-b-x' }],
  ['bool(request.action)', { action: 'true' }],
  ['a.asn in {5: "x"}'],
  ['"\u{1f600}" != a.action'],
  ['a.action.size() == 5'],
  ['a.reasons.join(",") == "X,Y"'],
  ['a.reasons.map(r, size(r)).exists(n, n == 1)'],
  ['null == null'],
  ['9223372036854775808 > 0'],
  ['int(1e3) == 1000'],
  ['has(a.net.country)'],
];

const SIGNALS = { action: 'BLOCK', asn: 5, score: 5.5, reasons: ['X', 'Y'], net: { country: 'AU' } };

function isSettled(policy: CompiledPolicy, when: string): boolean {
  const texts = [...when.matchAll(/"([^"]*)"/g)].map(([, text = '']) => text);
  const integers = [...when.replaceAll(/"[^"]*"/g, '').matchAll(/\b\d+\b/g)].map(([digits]) =>
    BigInt(digits),
  );
  const variables = variableTypes(COMPILE_OPTIONS.providers);
  for (const sample of sampleSubjects(variables, { texts: new Set(texts), integers: new Set(integers) })) {
    const { a, b, request, telemetry } = sample as Record<string, Record<string, unknown>>;
    const judged = evaluatePolicy(policy, [ok(a), ok(b)], request as never, {
      telemetry: telemetry as never,
    });
    if (judged.trace[0]?.result !== 'unknown') return true;
  }
  return false;
}

function resultOf(when: string, request: Partial<RequestSignals> = {}): string | undefined {
  const evidence = [ok(SIGNALS), ok(SIGNALS)];
  const custody = {
    uses: 1,
    age_seconds: 0,
    bound_elsewhere: false,
    omits_device: false,
    omits_account: false,
    expired: false,
  };
  const whole = { telemetry_id_present: true, device_id_present: true, device_id_given: true, ...request };
  return evaluatePolicy(compiled(documentOf([rule(when)])), evidence, whole, { telemetry: custody }).trace[0]
    ?.result;
}

t.test('tries no longer list than a provider can have, and always one that the indexes need', async (t) => {
  const variables = variableTypes(COMPILE_OPTIONS.providers);
  const lengthsFor = (...integers: readonly bigint[]) => {
    const samples = [...sampleSubjects(variables, { texts: new Set(), integers: new Set(integers) })];
    return new Set(samples.map((sample) => Object(sample['a']).reasons.length));
  };
  for (const integer of [63n, 64n, 999n, 100_000n])
    t.same(lengthsFor(integer), new Set([64]), String(integer));
  t.same(lengthsFor(5n), new Set([6]));
  t.same(lengthsFor(5n, 100_000n), new Set([64]), 'beside a number that is no index');
});

t.test('takes an index that a list can have, whatever other numbers there are', async (t) => {
  for (const when of ['a.reasons[63] == "X"', 'a.asn > 100000 && a.reasons[5] == "X"'])
    t.ok(compilePolicy(documentOf([rule(when)]), COMPILE_OPTIONS).ok, when);
});

t.test('refuses what no evidence can settle, where it stands', async (t) => {
  for (const [when, offset, why] of REFUSED) {
    const result = compilePolicy(documentOf([rule(when)]), COMPILE_OPTIONS);
    const mistakes = result.ok ? [] : result.mistakes;
    t.ok(
      mistakes.some((mistake) => mistake.offset === offset && why.test(mistake.message)),
      `${when}: ${mistakes.map((mistake) => `${mistake.offset} ${mistake.message}`).join('; ')}`,
    );
  }
});

t.test('runs what was checked: odd conditions come to true or false', async (t) => {
  for (const [when, request] of SETTLED) t.match(resultOf(when, request), /^(true|false)$/, when);
});

t.test('accepts no condition that is unknown for every subject', async (t) => {
  let accepted = 0;
  fc.assert(
    fc.property(anyConditions(), (when) => {
      const result = compilePolicy(documentOf([rule(when)]), COMPILE_OPTIONS);
      if (!result.ok)
        return result.mistakes.every(({ offset, message }) => offset !== null && message !== '');
      accepted += 1;
      return isSettled(result.value, when);
    }),
    { numRuns: 1500, seed: 20_261_129 },
  );
  t.ok(accepted > 300, `${accepted} conditions were accepted`);
});
