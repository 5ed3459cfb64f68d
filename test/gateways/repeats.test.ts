import t from 'tap';
import type { Decision } from '../../src/domain/decision.ts';
import { createRepeats } from '../../src/gateways/repeats.ts';
import { createManualClock } from '../support/test-app.ts';

const QUESTION = ['nginx', 'default', '/shop'];

/** What a repeat looks at of a decision. */
function decisionOf(id: string, verdict: Decision['verdict'] = 'ALLOW'): Decision {
  return { id, verdict, reasons: [] } as unknown as Decision;
}

t.test('knows a decision for five seconds', (t) => {
  const clock = createManualClock();
  const repeats = createRepeats(clock.monotonicMs);
  repeats.about(QUESTION).remember(decisionOf('first'));
  clock.advance(4_999);
  t.equal(repeats.about(QUESTION).idOf(decisionOf('second')), 'first');
  t.equal(repeats.about(QUESTION).idOf(decisionOf('second', 'BLOCK')), null, 'another answer');
  t.equal(repeats.about([...QUESTION, 'x']).idOf(decisionOf('second')), null, 'another question');
  clock.advance(1);
  t.equal(repeats.about(QUESTION).idOf(decisionOf('second')), null);
  t.end();
});

t.test('says of one question the same until its end, whatever happens meanwhile', (t) => {
  const clock = createManualClock();
  const repeats = createRepeats(clock.monotonicMs);
  repeats.about(QUESTION).remember(decisionOf('first'));
  clock.advance(4_999);
  const late = repeats.about(QUESTION);
  t.equal(late.idOf(decisionOf('second')), 'first', 'so it is not recorded');
  clock.advance(1);
  t.equal(late.idOf(decisionOf('second')), 'first', 'and not answered by an id that no record has');
  t.end();
});

t.test('a repeat waits for the decision that is being recorded', async (t) => {
  const repeats = createRepeats(() => 0);
  const [first, second, other] = [repeats.about(QUESTION), repeats.about(QUESTION), repeats.about(QUESTION)];
  t.equal(first.idOf(decisionOf('first')), null);
  const waiting = second.idOf(decisionOf('second'));
  t.equal(other.idOf(decisionOf('other', 'BLOCK')), null, 'another answer waits for nobody');
  other.remember(decisionOf('other', 'BLOCK'));
  first.remember(decisionOf('first'));
  t.equal(await waiting, 'first');
});

t.test('a decision that could not be recorded is repeated by nobody', async (t) => {
  const repeats = createRepeats(() => 0);
  const [first, second] = [repeats.about(QUESTION), repeats.about(QUESTION)];
  t.equal(first.idOf(decisionOf('first')), null);
  const waiting = second.idOf(decisionOf('second'));
  first.giveUp();
  t.equal(await waiting, null);
  t.equal(repeats.about(QUESTION).idOf(decisionOf('third')), null);
});
