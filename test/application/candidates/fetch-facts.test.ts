import t from 'tap';
import type { FactSource } from '../../../src/application/facts/fact-source.ts';
import { openCandidates, policyOf, SUBJECT } from './open-candidates.ts';

const FETCH = { candidate: { fetch: true } };
const CUSTODY = {
  telemetry: { uses: 1, age_seconds: 0, bound_elsewhere: false, omits_device: false, expired: false },
};
const READS_CUSTODY = [['telemetry.uses == 1', 'BLOCK']] as const;
const READS_ACCOUNT = [['activity.account.decisions_1h > 2', 'BLOCK']] as const;
const READS_VISITOR = [['activity.visitor.decisions_1h > 2', 'BLOCK']] as const;
const ACCOUNT = { 'activity.account': { decisions_1h: 3 } };

/** Counts how often it is asked. */
function counting(ask: FactSource['ask']) {
  const asked: unknown[] = [];
  const counted: FactSource['ask'] = (question) => {
    asked.push(question.policy.hash);
    return ask(question);
  };
  return { asked, ask: counted };
}

t.test('asks for nothing without fetch', async (t) => {
  const { asked, ask } = counting(() => () => CUSTODY);
  const open = openCandidates({ candidates: [policyOf(READS_CUSTODY)], custody: ask });
  t.match(await open.judge(await open.decide()), [
    {
      decision: null,
      not_judged: { why: 'not_fetched', signals: ['telemetry.expired', 'telemetry.uses'] },
    },
  ]);
  t.same(asked, []);
  t.same(open.told, ['not_fetched']);
});

t.test('asks for custody once for all candidates, before the answer, which does not wait', async (t) => {
  const { asked, ask } = counting(() => () => CUSTODY);
  const candidates = [policyOf(READS_CUSTODY, FETCH), policyOf(READS_CUSTODY, FETCH)];
  const open = openCandidates({ candidates, custody: ask });
  const decision = open.decide();
  t.notOk(decision instanceof Promise, 'made at once');
  t.equal(asked.length, 1);
  t.match(await open.judge(await decision), [{ decision: 'BLOCK' }, { decision: 'BLOCK' }]);
  await open.judge(await open.decide());
  t.equal(asked.length, 1, 'of the same subject');
  await open.judge(await open.decide({ ...SUBJECT }));
  t.equal(asked.length, 2, 'and once for the next');
});

t.test('takes from the live decision what it has asked for', async (t) => {
  const { asked, ask } = counting(() => () => CUSTODY);
  const live = policyOf([['telemetry.uses > 9', 'BLOCK']]);
  const both = [...READS_CUSTODY, ...READS_ACCOUNT];
  const open = openCandidates({
    live,
    candidates: [policyOf(both, FETCH)],
    custody: ask,
    activity: () => () => ACCOUNT,
  });
  t.match(await open.judge(await open.decide()), [
    { decision: 'BLOCK', reasons: [{ rule: 'rule-0' }, { rule: 'rule-1' }] },
  ]);
  t.same(asked, [live.hash]);
});

t.test('waits for facts after the answer, and not for what would count the decision itself', async (t) => {
  const gate = Promise.withResolvers<void>();
  const activity: FactSource['ask'] = () =>
    gate.promise.then(() => () => ({ ...ACCOUNT, 'activity.visitor': { decisions_1h: 3 } }));
  const candidates = [policyOf(READS_ACCOUNT, FETCH), policyOf(READS_VISITOR, FETCH)];
  const open = openCandidates({ candidates, activity });
  const decision = open.decide();
  t.notOk(decision instanceof Promise, 'the answer does not wait');
  const judged = open.judge(await decision);
  t.match(open.candidates.judgeNow(await decision, SUBJECT), [
    { not_judged: { why: 'late' } },
    { not_judged: { why: 'late' } },
  ]);
  gate.resolve();
  t.match(await judged, [{ decision: 'BLOCK' }, { decision: null, not_judged: { why: 'late' } }]);
});

t.test('takes what evidence names where it is told before the decision is counted', async (t) => {
  const activity: FactSource['ask'] = () => () =>
    Promise.resolve({ 'activity.visitor': { decisions_1h: 3 } });
  const open = openCandidates({ candidates: [policyOf(READS_VISITOR, FETCH)], activity });
  t.match(await open.judge(await open.decide()), [{ decision: 'BLOCK' }]);
});

t.test('a source that fails costs the candidate its result, and the decision nothing', async (t) => {
  const fail = () => {
    throw new Error('canary-text');
  };
  const failing: Readonly<Record<string, FactSource['ask']>> = {
    'when it is asked': fail,
    'after it was asked': () => Promise.reject(new Error('canary-text')),
    'when it concludes': () => fail,
    'after it concluded': () => () => Promise.reject(new Error('canary-text')),
    'when it concludes late': async () => fail,
  };
  for (const [name, activity] of Object.entries(failing)) {
    const open = openCandidates({ candidates: [policyOf(READS_ACCOUNT, FETCH)], activity });
    const decision = await open.decide();
    t.equal(decision.verdict, 'ALLOW', name);
    t.match(await open.judge(decision), [{ decision: null, not_judged: { why: 'late' } }], name);
  }
});

t.test('waits for custody after the answer, and asks for what contradictions are told by', async (t) => {
  const { asked, ask } = counting(async () => () => CUSTODY);
  const candidates = [policyOf(READS_CUSTODY, FETCH), policyOf([['contradictions.clock', 'BLOCK']], FETCH)];
  const open = openCandidates({ candidates, custody: ask });
  t.match(await open.judge(await open.decide()), [{ decision: 'BLOCK' }, { not_judged: { why: 'late' } }]);
  t.equal(asked.length, 1);
});

t.test('judges what could not be known as a live policy would', async (t) => {
  const open = openCandidates({ candidates: [policyOf(READS_CUSTODY, FETCH)], custody: () => () => ({}) });
  t.match(await open.judge(await open.decide()), [
    { decision: 'CHALLENGE', reasons: [{ certain: false }], not_judged: null },
  ]);
});

t.test('asks beside a decision that takes its time', async (t) => {
  const live = policyOf([['activity.account.decisions_24h > 9', 'BLOCK']]);
  const activity: FactSource['ask'] = async () => () => ({
    'activity.account': { decisions_1h: 3, decisions_24h: 3 },
  });
  const open = openCandidates({ live, candidates: [policyOf(READS_ACCOUNT, FETCH)], activity });
  const decision = open.decide();
  t.ok(decision instanceof Promise);
  t.match(open.candidates.judgeNow(await decision, SUBJECT), [{ decision: 'BLOCK' }]);
});
