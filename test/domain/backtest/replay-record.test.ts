import t from 'tap';
import { replayRecord } from '../../../src/domain/backtest/replay-record.ts';
import type { DecisionRecord } from '../../../src/domain/decision-log/decision-record.ts';
import { FLAGS, generateDecisions, recordOf } from '../../support/judged-records.ts';
import { compiled, documentOf, ok, rule, TIMEOUT } from '../../support/policy-fixture.ts';

t.test('comes to the same for decisions of generated policies, and to the change of one', (t) => {
  let same = 0;
  let changed = 0;
  for (const { policy, records } of generateDecisions(300, 10, 20261130))
    for (const record of records) {
      const { kind } = replayRecord(policy, record);
      if (kind !== 'same') t.fail(JSON.stringify(record));
      same += 1;
      const [first, ...rest] = record.rules;
      if (first === undefined || first.result !== 'true') continue;
      const other = { ...record, rules: [{ rule: first.rule, result: 'false' as const }, ...rest] };
      if (replayRecord(policy, other).kind === 'different') changed += 1;
      else t.fail(`not seen: ${JSON.stringify(other)}`);
    }
  t.ok(same > 2_500, `${same} decisions`);
  t.ok(changed > 200, `${changed} changes`);
  t.end();
});

const POLICY = compiled(
  documentOf([
    rule('a.net.country == "AU" || providers.b.outcome == "ok"', { id: 'one' }),
    rule('a.action == "BLOCK" && telemetry.expired', { id: 'two', reason: 'TWO' }),
    rule('has(request.action) && b.score > 1.5', { id: 'three', reason: 'THREE' }),
  ]),
);
const RECORD = recordOf(POLICY, { evidence: [ok({ action: 'BLOCK' }), TIMEOUT], custody: 'unknown' });

const differenceOf = (record: DecisionRecord) => {
  const replayed = replayRecord(POLICY, record);
  if (replayed.kind !== 'different') throw new Error(replayed.kind);
  return replayed.difference;
};

t.test('names the first rule that differs, what it reads and why that is absent', async (t) => {
  const rules = RECORD.rules.map((line) => ({ rule: line.rule, result: 'true' as const }));
  t.same(differenceOf({ ...RECORD, engine: '0.0.9', rules }), {
    decisionId: RECORD.decision_id,
    decidedAt: RECORD.decided_at,
    engine: '0.0.9',
    policy: POLICY.hash,
    field: 'rules[0]',
    recorded: { rule: 'one', result: 'true' },
    found: RECORD.rules[0],
    cause: 'rule',
    condition: 'a.net.country == "AU" || providers.b.outcome == "ok"',
    values: [
      { name: 'a.net.country', value: null, why: 'a does not say it' },
      { name: 'providers.b.outcome', value: 'timeout', why: null },
    ],
  });
  const second = { ...RECORD, rules: RECORD.rules.with(1, { rule: 'two', result: 'false' }) };
  t.match(differenceOf(second), {
    field: 'rules[1]',
    values: [
      { name: 'a.action', value: 'BLOCK', why: null },
      { name: 'telemetry.expired', value: null, why: 'custody unavailable' },
    ],
  });
  const third = { ...RECORD, rules: RECORD.rules.with(2, { rule: 'three', result: 'true' }) };
  t.match(differenceOf(third).values, [
    { name: 'request.action', value: null, why: 'the request had none' },
    { name: 'b.score', value: null, why: 'b timeout' },
  ]);
});

t.test('tells rules of another policy from rules that come to something else', async (t) => {
  const fewer = differenceOf({ ...RECORD, rules: RECORD.rules.slice(0, 2) });
  t.match(fewer, { field: 'rules[2]', recorded: null, cause: 'other_rules', condition: null, values: [] });
  const more = { ...RECORD, rules: [...RECORD.rules, { rule: 'four', result: 'true' as const }] };
  t.match(differenceOf(more), { field: 'rules[3]', found: null, cause: 'other_rules' });
  const renamed = { ...RECORD, rules: RECORD.rules.with(0, { rule: 'zero', result: 'false' }) };
  t.match(differenceOf(renamed), { field: 'rules[0]', cause: 'other_rules' });
});

t.test('tells what follows from the same rules apart', async (t) => {
  for (const [changes, field] of [
    [{ decision: 'BLOCK' }, 'decision'],
    [{ reasons: [] }, 'reasons'],
    [{ waivers: [{ code: 'X', rule: 'one', providers: [] }] }, 'waivers'],
    [{ degraded: false }, 'degraded'],
  ] as const)
    t.match(differenceOf({ ...RECORD, ...(changes as Partial<DecisionRecord>) }), {
      field,
      cause: 'combination',
      condition: null,
    });
});

t.test('tells other words from other results', async (t) => {
  const [first, ...rest] = RECORD.rules;
  const reworded = { ...RECORD, rules: [{ ...first, why: 'in other words' }, ...rest] } as DecisionRecord;
  t.match(differenceOf(reworded), {
    field: 'rules[0]',
    cause: 'wording',
    recorded: { why: 'in other words' },
  });
  const also = reworded.rules.with(2, { rule: 'three', result: 'true' });
  t.match(differenceOf({ ...reworded, rules: also }), { field: 'rules[2]', cause: 'rule' });
  t.match(differenceOf({ ...reworded, decision: 'BLOCK' }), { field: 'decision', cause: 'combination' });
});

t.test('names what the policy reads and the record does not have', async (t) => {
  const policy = compiled(documentOf([rule('request.ip == "192.0.2.1"')]));
  const record = recordOf(policy, { request: { ...FLAGS, ip: '192.0.2.1' } });
  t.same(replayRecord(policy, record), { kind: 'not_recorded', names: ['request.ip'] });
});
