import t from 'tap';
import { addLabel, labelInForce, type OutcomeLabel } from '../../../src/domain/decision-log/outcome-label.ts';

const label = (name: OutcomeLabel['label'], second: number, note: string | null = null): OutcomeLabel => ({
  label: name,
  at: `2026-01-01T12:00:0${second}.000Z`,
  note,
  caller: 'shop',
});

t.test('keeps labels by their time, and the latest counts', async (t) => {
  const first = addLabel([], label('fraud', 5), true) ?? [];
  const second = addLabel(first, label('legit', 2), true) ?? [];
  t.equal(labelInForce(second), 'fraud');
  const third = addLabel(second, label('challenge_failed', 5), true) ?? [];
  t.same(
    third.map(({ label: name }) => name),
    ['legit', 'fraud', 'challenge_failed'],
  );
  t.equal(labelInForce(third), 'challenge_failed');
  t.equal(labelInForce([]), null);
});

t.test('takes what has been said already for a repetition', async (t) => {
  const history = [label('legit', 1), label('fraud', 5, 'seen')];
  t.equal(addLabel(history, label('legit', 1), true), null);
  t.equal(addLabel(history, label('fraud', 7, 'seen'), false), null, 'whenever it is said');
  t.not(addLabel(history, label('fraud', 7, 'seen'), true), null, 'unless it names another time');
  t.not(addLabel(history, label('fraud', 5, 'other'), true), null);
  t.not(addLabel(history, label('legit', 7), false), null, 'only the label in force is repeated');
});
