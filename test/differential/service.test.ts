import t from 'tap';
import { OUTCOMES } from '../../src/domain/evidence.ts';
import { CUSTODY_RESULTS } from '../../src/domain/policy/telemetry-signals.ts';
import { checkDigests, countTexts } from './check-digests.ts';
import { judgeAgain } from './judge-again.ts';
import { serviceScenarios } from './scenarios.ts';

// Thousands of requests, on a machine that may be busy.
t.setTimeout(170_000);

t.test('answers, records and logs in every state as it did', async (t) => {
  const scenarios = serviceScenarios();
  const transcripts = await checkDigests(t, scenarios);
  const decisions = transcripts.reduce((sum, transcript) => sum + transcript.decisions, 0);
  t.ok(decisions >= 1_500, `${decisions} decisions`);
  const seen = countTexts(transcripts, [
    ...OUTCOMES.map((outcome) => `"outcome":"${outcome}"`),
    ...CUSTODY_RESULTS.map((result) => `"custody_result":"${result}"`),
    ...['hit', 'miss', 'shared', 'none'].map((cache) => `"cache":"${cache}"`),
    ...[400, 401, 403, 422, 429].map((status) => `HTTP/1.1 ${status} `),
    '"suspect":true',
    '"expired":true',
    'idempotency-replayed: true',
    '"explanation":{',
    'log {',
    'record {',
  ]);
  for (const [text, count] of Object.entries(seen)) t.ok(count > 0, `${count} times ${text}`);
  const again = judgeAgain(scenarios, transcripts);
  t.equal(again.others[0], undefined, 'a record alone comes to its verdict, reasons and trace');
  t.ok(again.same > 1500, `${again.same} records were judged again`);
  t.same(again.notRecorded, {}, 'these policies read no identifier');
});
