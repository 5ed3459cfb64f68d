import t from 'tap';
import { countedRules, judgeRecord, readsParameters } from '../../../src/domain/backtest/judge-record.ts';
import type { DecisionRecord } from '../../../src/domain/decision-log/decision-record.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import { FLAGS, recordOf } from '../../support/judged-records.ts';
import { compiled, documentOf, ok, rule, TIMEOUT } from '../../support/policy-fixture.ts';

const named = (hash: string, document: unknown): CompiledPolicy => ({ ...compiled(document), hash });
const OWN = named('sha256:own', documentOf([rule('!a.found')]));
const CANDIDATE = named(
  'sha256:candidate',
  documentOf([
    rule('a.score > 1.0', { id: 'high', reason: 'HIGH' }),
    rule('b.score > 1.0', { id: 'lost', reason: 'LOST', on_unknown: 'IGNORE' }),
  ]),
);

t.test('judges a record by another policy', async (t) => {
  const record = recordOf(OWN, { evidence: [ok({ score: 2 }), TIMEOUT] });
  t.same(judgeRecord(CANDIDATE, record, OWN), {
    kind: 'judged',
    verdict: 'BLOCK',
    degraded: true,
    rules: ['high', 'lost:waived'],
  });
  t.same(countedRules(record), []);
});

t.test('says why a record cannot be judged', async (t) => {
  const reading = named(
    'sha256:reading',
    documentOf([rule('request.ip == "192.0.2.9" && request.user_agent == "x"')]),
  );
  const request = { ...FLAGS, ip: '192.0.2.1', user_agent: 'x' };
  t.same(judgeRecord(reading, recordOf(OWN, { request }), OWN), {
    kind: 'not_replayable',
    why: 'request.ip was not recorded, request.user_agent was not recorded',
  });
  t.match(judgeRecord(CANDIDATE, { ...recordOf(OWN), rules: [] }, OWN), { why: 'no rule was asked' });
  const counting = named('sha256:counting', documentOf([rule('activity.account.decisions_1h > 1')]));
  t.match(judgeRecord(counting, recordOf(OWN), OWN), { why: 'activity.account was not recorded' });
});

t.test('judges contradictions by the parameters that they were found with alone', async (t) => {
  const travelling = (hash: string, parameters: object) =>
    named(hash, documentOf([rule('contradictions.travel', { id: 'travel' })], { parameters }));
  const plain = travelling('sha256:plain', {});
  t.equal(readsParameters(plain), true);
  t.equal(readsParameters(CANDIDATE), false);
  const record = { ...recordOf(OWN), contradictions: { travel: true } } as DecisionRecord;
  t.match(judgeRecord(plain, record, travelling('sha256:day', {})), { kind: 'judged', verdict: 'BLOCK' });
  t.match(judgeRecord(plain, record, null), {
    kind: 'not_replayable',
    why: /^params\..* of its policy are not known$/,
  });
  t.match(judgeRecord(plain, { ...record, policy: { id: 'x', hash: 'sha256:plain' } }, null), {
    kind: 'judged',
  });
  t.match(judgeRecord(plain, { ...record, contradictions: 'unknown' }, null), {
    kind: 'judged',
    verdict: 'CHALLENGE',
  });
  t.match(judgeRecord(CANDIDATE, record, null), { kind: 'judged' });
  const faster = travelling('sha256:faster', { travel_kmh: { type: 'int', value: 5000 } });
  t.match(judgeRecord(plain, record, faster), {
    kind: 'not_replayable',
    why: 'params.travel_kmh were others',
  });
});
