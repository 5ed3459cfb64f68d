import t from 'tap';
import { createBlockAmbiguous } from '../../../src/application/block-ambiguous.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import { openCandidates, policyOf, SUBJECT } from './open-candidates.ts';

const verdicts = (results: readonly { decision: string | null }[] | undefined) =>
  results?.map(({ decision }) => decision);

/** A policy that cannot be run, and one that cannot even be looked at. */
function brokenOnes(): readonly CompiledPolicy[] {
  const fail = () => {
    throw new Error('canary-text');
  };
  const plain = policyOf([['!a.found', 'BLOCK']]);
  const document = Object.defineProperty({ ...plain.document }, 'otherwise', { get: fail });
  const run = { ...plain, document };
  const look = { ...policyOf([['a.found', 'BLOCK']]) };
  Object.defineProperty(look, 'facts', { get: fail });
  return [run, look];
}

t.test('judges the same evidence by each candidate, after the answer', async (t) => {
  const candidates = [policyOf([['a.score > 4.0', 'BLOCK']]), policyOf([['a.score > 5.0', 'BLOCK']])];
  const open = openCandidates({ candidates });
  const decision = await open.decide();
  t.equal(decision.verdict, 'ALLOW');
  let results: unknown;
  open.candidates.judgeLater(decision, SUBJECT, (told) => {
    results = told;
  });
  t.equal(results, undefined, 'not before');
  await open.candidates.drain();
  t.match(results, [
    {
      policy: { id: 'test', hash: candidates[0]?.hash },
      decision: 'BLOCK',
      reasons: [{ code: 'THE_REASON', rule: 'rule-0' }],
      not_judged: null,
    },
    { policy: { hash: candidates[1]?.hash }, decision: 'ALLOW', reasons: [], not_judged: null },
  ]);
  t.same(open.told, ['judged', 'judged']);
});

t.test('shares results that are the same, so that records share their text', async (t) => {
  const open = openCandidates({ candidates: [policyOf([['a.score > 4.0', 'BLOCK']])] });
  const first = open.candidates.judgeNow(await open.decide(), SUBJECT);
  const second = open.candidates.judgeNow(await open.decide(), SUBJECT);
  t.equal(first, second);
  t.ok(Object.isFrozen(first?.[0]));
});

t.test('tells at once that there is no candidate', async (t) => {
  const live = policyOf([['!a.found', 'BLOCK']]);
  for (const candidates of [[], [live]]) {
    const open = openCandidates({ live, candidates });
    const decision = await open.decide();
    let results: unknown = 'untold';
    open.candidates.judgeLater(decision, SUBJECT, (told) => {
      results = told;
    });
    t.equal(results, undefined);
    t.equal(open.candidates.judgeNow(decision, SUBJECT), undefined);
  }
});

t.test('judges by a policy once that stands there twice', async (t) => {
  const twice = policyOf([['a.found', 'BLOCK']]);
  const open = openCandidates({ candidates: [twice, { ...twice }] });
  t.same(verdicts(await open.judge(await open.decide())), ['BLOCK']);
});

t.test('goes by the candidates of the moment', async (t) => {
  const open = openCandidates({ candidates: [policyOf([['a.found', 'BLOCK']])] });
  t.same(verdicts(await open.judge(await open.decide())), ['BLOCK']);
  open.setCandidates([policyOf([['a.found', 'CHALLENGE']]), policyOf([['!a.found', 'BLOCK']])]);
  t.same(verdicts(await open.judge(await open.decide())), ['CHALLENGE', 'ALLOW']);
});

t.test('judges a decision of the live policy of before', async (t) => {
  const live = policyOf([['telemetry.uses > 5', 'BLOCK']]);
  const reading = policyOf([['telemetry.uses == 1', 'CHALLENGE']]);
  const custody = () => () => ({
    telemetry: { uses: 1, age_seconds: 0, bound_elsewhere: false, expired: false },
  });
  const open = openCandidates({ live, candidates: [reading], custody });
  const decision = await open.decide();
  open.setInForce(policyOf([['!a.found', 'BLOCK']]));
  t.same(verdicts(await open.judge(decision)), ['CHALLENGE'], 'which asked for custody');
  t.match(
    await open.judge(await open.decide()),
    [{ not_judged: { why: 'not_fetched' } }],
    'the present one does not',
  );
  const forgotten = { ...decision, policy: { id: 'test', hash: 'sha256:unheard' } };
  t.equal(await open.judge(forgotten), undefined, 'nobody knows what was asked for');
});

t.test('does not judge while too many decisions wait, and says so', async (t) => {
  const open = openCandidates({ candidates: [policyOf([['a.found', 'BLOCK']])] });
  const decision = await open.decide();
  const results: unknown[] = [];
  for (let number = 0; number < 1_030; number += 1)
    open.candidates.judgeLater(decision, SUBJECT, (told) => results.push(told));
  t.equal(results.length, 6, 'those are told at once');
  t.match(results[0], [{ decision: null, reasons: [], not_judged: { why: 'overload', signals: [] } }]);
  open.candidates.flush();
  t.equal(results.length, 1_030);
  t.equal(open.told.filter((result) => result === 'overload').length, 6);
});

t.test('a candidate that cannot be run costs its own result alone', async (t) => {
  const failing = brokenOnes();
  const open = openCandidates({ candidates: [...failing, policyOf([['a.found', 'BLOCK']])] });
  const decision = await open.decide();
  t.equal(decision.verdict, 'ALLOW');
  t.match(await open.judge(decision), [
    { decision: null, not_judged: { why: 'failed', signals: [] } },
    { decision: null, not_judged: { why: 'failed', signals: [] } },
    { decision: 'BLOCK', not_judged: null },
  ]);
  t.same(new Set(open.failures), new Set(failing.map(({ hash }) => hash)));
});

t.test('what cannot be told is told to its owner', async (t) => {
  const open = openCandidates({ candidates: [policyOf([['a.found', 'BLOCK']])] });
  const decision = await open.decide();
  open.candidates.judgeLater(decision, SUBJECT, () => {
    throw new Error('a sink that throws');
  });
  await open.candidates.drain();
  t.same(open.failures, [null]);
});

t.test('reads where the address is, also where the live policy does not', async (t) => {
  const open = openCandidates({ candidates: [policyOf([['request.country == "DE"', 'BLOCK']])] });
  t.same(verdicts(await open.judge(await open.decide())), ['BLOCK']);
  const { ip: _, ...nowhere } = SUBJECT;
  t.same(verdicts(await open.judge(await open.decide(nowhere), nowhere)), ['CHALLENGE']);
});

t.test('a subject that every policy blocks is blocked by candidates too', async (t) => {
  const clock = { nowMs: () => 0, monotonicMs: () => 0 };
  const live = policyOf([['!a.found', 'BLOCK']]);
  const decide = createBlockAmbiguous({ slots: [], policy: () => live, clock, newId: () => 'id' });
  const open = openCandidates({ live, candidates: [policyOf([['!a.found', 'CHALLENGE']])], decide });
  t.match(await open.judge(await open.decide()), [
    { decision: 'BLOCK', reasons: [{ code: 'SUBJECT_AMBIGUOUS' }] },
  ]);
});
