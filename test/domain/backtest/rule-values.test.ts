import t from 'tap';
import { valuesOf } from '../../../src/domain/backtest/rule-values.ts';
import { readRecordedInput } from '../../../src/domain/decision-log/recorded-input.ts';
import { type Judged, recordOf } from '../../support/judged-records.ts';
import { compiled, documentOf, ok, rule, TIMEOUT } from '../../support/policy-fixture.ts';

function read(when: string, judged: Partial<Judged> = {}) {
  const policy = compiled(documentOf([rule(when)]));
  const input = readRecordedInput(policy, recordOf(policy, judged));
  const [own] = policy.rules;
  if (!input.ok || own === undefined) throw new Error('it can be judged');
  return valuesOf(own, policy, input.value);
}

t.test('reads signals, states, facts and the request', async (t) => {
  const custody = {
    uses: 3,
    age_seconds: 9,
    bound_elsewhere: true,
    omits_device: false,
    omits_account: false,
  };
  const when =
    'a.reasons.exists(r, r == "X") && telemetry.uses > 1 && request.device_id_given && providers.a.suspect';
  t.same(read(when, { evidence: [ok({ reasons: ['X'] }), ok()], custody }), [
    { name: 'a.reasons', value: ['X'], why: null },
    { name: 'telemetry.uses', value: 3, why: null },
    { name: 'request.device_id_given', value: true, why: null },
    { name: 'providers.a.suspect', value: false, why: null },
  ]);
  t.same(read('telemetry.uses > 1'), [{ name: 'telemetry.uses', value: null, why: 'no telemetry id' }]);
});

t.test('reads a provider as a whole', async (t) => {
  const when = 'cel.bind(x, a, x.found)';
  t.same(read(when, { evidence: [ok(), ok()] }), [{ name: 'a', value: { found: true }, why: null }]);
  t.same(read(when, { evidence: [TIMEOUT, ok()] }), [{ name: 'a', value: null, why: 'a timeout' }]);
});
