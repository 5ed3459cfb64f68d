import { parse } from '@marcbachmann/cel-js';
import t from 'tap';
import { valuesOf } from '../../../src/domain/backtest/rule-values.ts';
import type { DecisionRecord } from '../../../src/domain/decision-log/decision-record.ts';
import { FLAGS, type Judged, recordOf } from '../../support/judged-records.ts';
import { compiled, documentOf, ok, rule, SKIPPED, TIMEOUT } from '../../support/policy-fixture.ts';

const POLICY = compiled(documentOf([rule('!a.found')]));

function read(when: string, judged: Partial<Judged> = {}, changes: Partial<DecisionRecord> = {}) {
  return valuesOf(parse(when).ast, { ...recordOf(POLICY, judged), ...changes });
}

t.test('reads signals, states, custody and the request', async (t) => {
  const custody = {
    uses: 3,
    age_seconds: 9,
    bound_elsewhere: true,
    omits_device: false,
    omits_account: false,
  };
  const when =
    'a.reasons.exists(r, r == "X") && telemetry.uses > params.most && request.device_id_given && providers.a.suspect && telemetry.expired';
  t.same(read(when, { evidence: [ok({ reasons: ['X'] }), ok()], custody }), [
    { name: 'a.reasons', value: ['X'], why: null },
    { name: 'telemetry.uses', value: 3, why: null },
    { name: 'request.device_id_given', value: true, why: null },
    { name: 'providers.a.suspect', value: false, why: null },
    { name: 'telemetry.expired', value: null, why: 'telemetry.expired unknown' },
  ]);
});

t.test('says why a value is absent', async (t) => {
  const whyOf = (...given: Parameters<typeof read>) => read(...given).map(({ value, why }) => value ?? why);
  t.same(whyOf('telemetry.uses > 1'), ['no telemetry id']);
  t.same(whyOf('telemetry.uses > 1', { custody: 'unknown' }), ['custody unavailable']);
  t.same(whyOf('a.asn == 1 || b.asn == 1', { evidence: [SKIPPED, TIMEOUT] }), ['a skipped', 'b timeout']);
  t.same(whyOf('a.asn == 1'), ['a does not say it']);
  t.same(whyOf('providers.a.what == 1'), ['no such state']);
  t.same(whyOf('request.action == "x"', { request: { ...FLAGS, action: 'login' } }), ['login']);
  t.same(whyOf('request.action == "x"', {}, { action: null }), ['the request had none']);
  const request = { ...FLAGS, ip: '192.0.2.1' };
  const given = 'given, and its value is not recorded';
  t.same(whyOf('request.ip == "" || request.account_id == ""', { request }), [given, 'the request had none']);
  t.same(whyOf('request.ip == ""', { request: { ...FLAGS, ipUnreadable: true } }), ['it could not be read']);
  const { request: _, ...before } = recordOf(POLICY);
  const ofBefore = (when: string) => valuesOf(parse(when).ast, before).map(({ why }) => why);
  t.same(ofBefore('request.ip == "" && request.country == ""'), ['not recorded', 'not recorded']);
  t.same(whyOf('cel.bind(r, request, r.ip == "")'), ['not recorded']);
});

t.test('reads facts as they were recorded', async (t) => {
  const whyOf = (when: string, changes: Partial<DecisionRecord>) =>
    read(when, {}, changes).map(({ value, why }) => value ?? why);
  t.same(whyOf('step_up.age_seconds < 5', { step_up: 'none' }), ['no step-up']);
  t.same(whyOf('step_up.age_seconds < 5', { step_up: { age_seconds: 3, method: '', acr: '' } }), [3]);
  t.same(whyOf('lists.blocked.device', { lists: 'unknown' }), ['lists unavailable']);
  t.same(whyOf('activity.account.decisions_1h > 1', { activity: null }), ['not recorded']);
  t.same(whyOf('activity.account.decisions_1h > 1', { activity: { account: { decisions_1h: 2 } } }), [2]);
  const contradictions = { count: 0, none: ['travel'] };
  t.same(
    whyOf('contradictions.travel || contradictions.count > 1 || contradictions.roaming', { contradictions }),
    ['nothing to compare', 0, 'contradictions.roaming unknown'],
  );
});

t.test('reads a provider as a whole', async (t) => {
  const when = 'cel.bind(x, a, x.found)';
  t.same(read(when, { evidence: [ok(), ok()] }), [{ name: 'a', value: { found: true }, why: null }]);
  t.same(read(when, { evidence: [TIMEOUT, ok()] }), [{ name: 'a', value: null, why: 'a timeout' }]);
});
