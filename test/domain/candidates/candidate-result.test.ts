import t from 'tap';
import { TRANSITION, toTransition } from '../../../src/domain/candidates/candidate-result.ts';
import { countFacts, matchesFacts, toRecordFacts } from '../../../src/domain/decision-log/record-facts.ts';
import { createCandidateResult, createDecisionRecord } from '../../support/decision-records.ts';

const HASH = `sha256:${'a'.repeat(64)}`;
const OTHER = `sha256:${'b'.repeat(64)}`;

t.test('names the verdict that was answered before the one that a candidate comes to', async (t) => {
  const transition = toTransition('ALLOW', createCandidateResult(HASH, 'BLOCK'));
  t.equal(transition, `${HASH}/ALLOW/BLOCK`);
  t.match(transition, TRANSITION);
});

t.test('never takes a candidate that did not judge for one that agrees', async (t) => {
  const transition = toTransition('ALLOW', createCandidateResult(HASH, null));
  t.equal(transition, `${HASH}/not_judged`);
  t.match(transition, TRANSITION);
  t.notMatch(`${HASH}/ALLOW/not_judged`, TRANSITION);
  t.notMatch('default/ALLOW/BLOCK', TRANSITION);
});

t.test('counts and finds each transition of a decision', async (t) => {
  const candidates = [createCandidateResult(HASH, 'BLOCK'), createCandidateResult(OTHER, null)];
  const facts = toRecordFacts(createDecisionRecord(0, 1, { candidates }));
  const counted = [...countFacts(facts)].filter(([name]) => name.startsWith('transition:'));
  t.same(counted, [
    [`transition:${HASH}/CHALLENGE/BLOCK`, 1],
    [`transition:${OTHER}/not_judged`, 1],
  ]);
  for (const transition of [`${HASH}/CHALLENGE/BLOCK`, `${OTHER}/not_judged`])
    t.ok(matchesFacts(facts, { transition }), transition);
  for (const transition of [`${HASH}/not_judged`, `${OTHER}/CHALLENGE/BLOCK`])
    t.notOk(matchesFacts(facts, { transition }), transition);
});

t.test('leaves the facts of a decision without candidates as they were', async (t) => {
  const facts = toRecordFacts(createDecisionRecord(0, 1));
  t.notMatch(JSON.stringify(facts), 'candidates');
  t.notOk(matchesFacts(facts, { transition: `${HASH}/not_judged` }));
  t.notOk([...countFacts(facts).keys()].some((name) => name.startsWith('transition:')));
});
