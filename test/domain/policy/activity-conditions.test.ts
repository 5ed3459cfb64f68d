import t from 'tap';
import { compilePolicy } from '../../../src/domain/policy/compile.ts';
import { evaluatePolicy } from '../../../src/domain/policy/evaluate.ts';
import type { SubjectFacts } from '../../../src/domain/policy/subject-fact.ts';
import { COMPILE_OPTIONS, compiled, documentOf, ok, rule, TIMEOUT } from '../../support/policy-fixture.ts';

const REQUEST = { telemetry_id_present: true, device_id_present: true, device_id_given: true };

function mistakesOf(when: string, fields: Record<string, unknown> = {}): string[] {
  const result = compilePolicy(documentOf([rule(when)], fields), COMPILE_OPTIONS);
  return result.ok ? [] : result.mistakes.map(({ offset, message }) => `${offset} ${message}`);
}

/** What one rule comes to, and why. */
function judge(when: string, facts: SubjectFacts) {
  const { trace, degraded, verdict } = evaluatePolicy(
    compiled(documentOf([rule(when)])),
    [ok(), ok()],
    REQUEST,
    facts,
  );
  return [trace[0]?.result, trace[0]?.why, verdict, degraded];
}

const MANY = 'activity.device.accounts_1h > 5';

t.test('reads the activity of a part, by closures and by the interpreter', async (t) => {
  for (const when of [MANY, `(${MANY}) && size("x") == 1`]) {
    t.same(judge(when, { 'activity.device': { accounts_1h: 6 } }), ['true', undefined, 'BLOCK', false]);
    t.same(judge(when, { 'activity.device': { accounts_1h: 5 } }), ['false', undefined, 'ALLOW', false]);
  }
  const both = 'activity.device.accounts_1h + activity.account.devices_1h > 5';
  t.same(judge(both, { 'activity.device': { accounts_1h: 3 }, 'activity.account': { devices_1h: 3 } }), [
    'true',
    undefined,
    'BLOCK',
    false,
  ]);
});

t.test('says which signal is unknown, and which part', async (t) => {
  t.same(judge(MANY, { 'activity.device': { accounts_24h: 3 } }), [
    'unknown',
    'activity.device.accounts_1h unknown',
    'CHALLENGE',
    true,
  ]);
  t.same(judge(MANY, { 'activity.device': 'unknown' }), [
    'unknown',
    'activity.device unknown',
    'CHALLENGE',
    true,
  ]);
  t.same(judge(MANY, {}), ['unknown', 'activity.device unknown', 'CHALLENGE', true]);
  t.same(judge(`${MANY} && activity.account.decisions_1m > 3`, { 'activity.account': {} }), [
    'unknown',
    'activity.device unknown',
    'CHALLENGE',
    true,
  ]);
});

t.test('lets a rule about a part that the request lacks say nothing', async (t) => {
  t.same(judge(MANY, { 'activity.device': 'none' }), ['inert', 'no device id', 'ALLOW', false]);
  t.same(judge(`${MANY} || !a.found`, { 'activity.device': 'none' }), [
    'unknown',
    'no device id',
    'CHALLENGE',
    false,
  ]);
  const policy = compiled(documentOf([rule('activity.visitor.accounts_1h > 5')]));
  t.same(
    evaluatePolicy(policy, [TIMEOUT, ok()], REQUEST, { 'activity.visitor': 'unknown' }).trace[0]?.why,
    'activity.visitor unknown',
  );
});

t.test('is false where another part is certain to be, whatever is unknown', async (t) => {
  t.same(judge(`${MANY} && !a.found`, { 'activity.device': 'unknown' }), ['false', undefined, 'ALLOW', true]);
});

t.test('lets a policy name its own events', async (t) => {
  const when = 'activity.ip.coupon_used_24h > 3';
  t.match(mistakesOf(when), [/coupon_used_24h/]);
  t.same(mistakesOf(when, { events: ['coupon_used'] }), []);
});

t.test('refuses a number beyond what is counted', async (t) => {
  for (const when of [
    'activity.device.accounts_1h > 64',
    'activity.device.accounts_1h >= 65',
    'activity.device.accounts_1h < 65',
    'activity.device.accounts_1h <= 64',
    'activity.device.accounts_1h == 64',
    '64 < activity.device.accounts_1h',
    '100 != activity.device["accounts_1h"]',
  ])
    t.match(mistakesOf(when), [/counts up to 64/], when);
  for (const when of [
    'activity.device.accounts_1h > 63',
    'activity.device.accounts_1h >= 64',
    '64 <= activity.device.accounts_1h',
    'activity.device.decisions_1h > 1000000',
    'activity.device.first_seen_seconds > 86400',
    '["x"].exists(activity, activity == "x") && 100 > 64',
  ])
    t.same(mistakesOf(when), [], when);
});

t.test('refuses to read a part as a whole, and to ask for presence', async (t) => {
  t.match(mistakesOf('size([activity]) == 1'), [/name the signal: activity\.<part>\.<signal>/]);
  t.match(mistakesOf('size([activity.device]) == 1'), [/name the signal: activity\.<part>\.<signal>/]);
  t.match(mistakesOf('has(activity.device.accounts_1h)'), [/without has\(\)/]);
  t.ok(mistakesOf('activity.phone.accounts_1h > 5').length > 0);
});

t.test('leaves the name to conditions that use it for a variable of their own', async (t) => {
  t.same(judge('["x"].exists(activity, activity == "x")', {}), ['true', undefined, 'BLOCK', false]);
});
