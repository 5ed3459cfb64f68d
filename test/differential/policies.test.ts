import t from 'tap';
import { checkDigests, countTexts } from './check-digests.ts';
import { judgeAgain } from './judge-again.ts';
import { policyScenarios } from './scenarios.ts';

// Thousands of requests, on a machine that may be busy.
t.setTimeout(170_000);

t.test('answers, records and logs under generated policies as it did', async (t) => {
  const scenarios = policyScenarios();
  const transcripts = await checkDigests(t, scenarios);
  const decisions = transcripts.reduce((sum, transcript) => sum + transcript.decisions, 0);
  t.ok(decisions >= 1_500, `${decisions} decisions`);
  const seen = countTexts(transcripts, [
    ...['ALLOW', 'CHALLENGE', 'BLOCK'].map((verdict) => `,"decision":"${verdict}","reasons"`),
    ...['CHALLENGE', 'BLOCK', 'IGNORE'].map((what) => `"on_unknown":"${what}"`),
    ...['true', 'false', 'unknown', 'inert'].map((result) => `"result":"${result}"`),
    '"waivers":[{',
  ]);
  for (const [text, count] of Object.entries(seen)) t.ok(count > 20, `${count} times ${text}`);
  const again = judgeAgain(scenarios, transcripts);
  t.equal(again.others[0], undefined, 'a record alone comes to its verdict, reasons and trace');
  t.ok(again.same > 500, `${again.same} records were judged again`);
  t.same(
    Object.keys(again.notRecorded).toSorted(),
    ['request.account_id', 'request.ip', 'request.user_agent'],
    'nothing else is missing',
  );
});
