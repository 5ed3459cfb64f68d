import t from 'tap';
import { explainRecord, ruleTextsOf } from '../../../src/domain/backtest/explain-record.ts';
import type { Finding } from '../../../src/domain/contradictions/contradiction.ts';
import {
  toContradictionPlan,
  toContradictionSignals,
} from '../../../src/domain/contradictions/find-contradictions.ts';
import { CONTRADICTIONS } from '../../../src/domain/contradictions/registry.ts';
import type { DecisionRecord } from '../../../src/domain/decision-log/decision-record.ts';
import { recordOf } from '../../support/judged-records.ts';
import { compiled, documentOf, ok, rule, TIMEOUT } from '../../support/policy-fixture.ts';

const POLICY = compiled(
  documentOf(
    [
      rule('a.score > params.most', { id: 'high', reason: 'HIGH', description: 'a high score' }),
      rule('b.asn == params["own"]', { id: 'own', reason: 'OWN', on_unknown: 'IGNORE' }),
      rule('telemetry.bound_elsewhere', { id: 'bound', reason: 'BOUND', verdict: 'CHALLENGE' }),
    ],
    {
      parameters: { most: { type: 'double', value: 1.5 }, own: { type: 'int', value: 7 } },
    },
  ),
);
const RECORD = recordOf(POLICY, { evidence: [ok({ score: 2 }), TIMEOUT], custody: 'unknown' });

t.test('shows each rule with what it read and contributed', async (t) => {
  const { rules, contradictions, unknown } = explainRecord(RECORD, ruleTextsOf(POLICY.document));
  t.match(rules, [
    {
      rule: 'high',
      result: 'true',
      why: null,
      contributed: 'BLOCK',
      isWaived: false,
      isSatisfied: false,
      text: {
        condition: 'a.score > params.most',
        description: 'a high score',
        verdict: 'BLOCK',
        parameters: [{ name: 'most', value: '1.5' }],
      },
      values: [{ name: 'a.score', value: 2, why: null }],
    },
    {
      rule: 'own',
      result: 'unknown',
      contributed: 'ALLOW',
      isWaived: true,
      text: { parameters: [{ name: 'own', value: '7' }] },
      values: [{ name: 'b.asn', why: 'b timeout' }],
    },
    { rule: 'bound', result: 'unknown', contributed: 'CHALLENGE' },
  ]);
  t.equal(contradictions, null);
  t.same(unknown, [
    { what: 'b timeout', rules: ['own'] },
    { what: 'custody unavailable', rules: ['bound'] },
  ]);
});

t.test('shows parameters as they are written', async (t) => {
  const parameters = { lasts: { type: 'duration', value: '5m' } };
  const policy = compiled(documentOf([rule('a.score > 1.0 && a.asn > params.lasts')], { parameters }));
  t.match(ruleTextsOf(policy.document).get('the-rule')?.parameters, [{ name: 'lasts', value: '5m' }]);
  const before: DecisionRecord = { ...RECORD };
  delete (before as { contradictions?: unknown }).contradictions;
  t.equal(explainRecord(before, new Map()).contradictions, null, 'a record of before');
});

t.test('shows what is known where the policy is not, or cannot be read', async (t) => {
  const { rules } = explainRecord(RECORD, new Map());
  t.match(rules[0], { rule: 'high', result: 'true', text: null, values: [], contributed: 'BLOCK' });
  const broken = { condition: 'a.score >', description: null, verdict: 'BLOCK', parameters: [] };
  t.match(explainRecord(RECORD, new Map([['high', broken]])).rules[0], { text: broken, values: [] });
});

t.test('tells what satisfied a rule, and what was in doubt', async (t) => {
  const reasons = RECORD.reasons.map((reason) => ({ ...reason, satisfied: true }));
  const { a, b } = RECORD.providers;
  const rules = RECORD.rules.map(({ rule: id, result }) => ({ rule: id, result }));
  const record = {
    ...RECORD,
    reasons,
    rules,
    providers: { a: { ...a, suspect: true }, b },
  } as DecisionRecord;
  const explained = explainRecord(record, new Map());
  t.match(explained.rules[0], { isSatisfied: true });
  t.same(explained.unknown, [
    { what: 'a suspect', rules: [] },
    { what: 'b timeout', rules: [] },
    { what: 'not told', rules: ['own', 'bound'] },
  ]);
});

t.test('shows contradictions that were looked for, with their working', async (t) => {
  const because = { distance_km: 900, hours: 0.5 };
  const plan = toContradictionPlan([['count']], {});
  const findings: Readonly<Record<string, Finding>> = {
    travel: { result: true, because },
    os_family: { result: false, because: { left: 'x' } },
    roaming: 'unknown',
  };
  const contradictions = toContradictionSignals(
    plan,
    CONTRADICTIONS.map(({ id }) => findings[id] ?? 'none'),
  );
  const record = { ...RECORD, contradictions } as DecisionRecord;
  const text = { description: null, verdict: 'BLOCK', parameters: [] };
  const reading = (condition: string) => new Map([['high', { ...text, condition }]]);
  const ofTotal = explainRecord(record, reading('contradictions.count > 1')).contradictions ?? [];
  t.equal(ofTotal.length, CONTRADICTIONS.length);
  t.match(
    ofTotal.find(({ id }) => id === 'travel'),
    { result: 'true', because },
  );
  t.match(
    ofTotal.find(({ id }) => id === 'os_family'),
    { result: 'false', because: { left: 'x' } },
  );
  t.match(
    ofTotal.find(({ id }) => id === 'roaming'),
    { result: 'unknown', because: null },
  );
  t.match(
    ofTotal.find(({ id }) => id === 'tls_client'),
    { result: 'none', because: null },
  );
  const one = { ...RECORD, contradictions: { travel: true } } as DecisionRecord;
  t.same(explainRecord(one, reading('contradictions.travel')).contradictions, [
    { id: 'travel', result: 'true', because: {} },
  ]);
  const lost = { ...RECORD, contradictions: 'unknown' } as DecisionRecord;
  t.same(explainRecord(lost, reading('contradictions.travel')).contradictions, [
    { id: 'travel', result: 'unknown', because: null },
  ]);
  t.equal(explainRecord({ ...one, contradictions: 'none' }, new Map()).contradictions, null);
});

t.test('takes one that its rules do not read for not looked for, beside what else they read', async (t) => {
  const policy = compiled(documentOf([rule('a.score > 1.0 || contradictions.travel')]));
  const record = {
    ...recordOf(policy, { evidence: [ok({ score: 2 }), TIMEOUT] }),
    contradictions: 'unknown',
  };
  const { contradictions } = explainRecord(record as DecisionRecord, ruleTextsOf(policy.document));
  t.same(contradictions, [{ id: 'travel', result: 'unknown', because: null }]);
});
