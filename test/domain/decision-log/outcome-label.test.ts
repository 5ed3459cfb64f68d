import t from 'tap';
import {
  addLabel,
  labelInForce,
  type OutcomeLabel,
  saidInForce,
  takenBack,
  withdrawals,
} from '../../../src/domain/decision-log/outcome-label.ts';

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

t.test('a withdrawal stands after what it takes back, once', async (t) => {
  t.equal(addLabel([], label('withdrawn', 1), false), null, 'nothing is in force');
  const given = [label('legit', 1), label('fraud', 5)];
  const withdrawn = addLabel(given, label('withdrawn', 3), false) ?? [];
  t.same(withdrawn.at(-1), label('withdrawn', 5), 'whatever a clock says');
  t.same([labelInForce(withdrawn), saidInForce(withdrawn)], [null, null]);
  t.equal(addLabel(withdrawn, label('withdrawn', 9), false), null);
  const again = addLabel(withdrawn, label('fraud', 6), false) ?? [];
  t.equal(labelInForce(again), 'fraud');
  t.same(saidInForce(again), label('fraud', 6));
  t.same(addLabel(given, label('withdrawn', 7), false)?.at(-1), label('withdrawn', 7));
  t.same(addLabel(given, label('withdrawn', 3), true)?.[1], label('withdrawn', 3), 'a copy keeps its place');
});

t.test('what is said after a withdrawal counts, whatever time it names', async (t) => {
  const history = [label('legit', 3), label('withdrawn', 5)];
  const late = addLabel(history, label('fraud', 1), true) ?? [];
  t.same(late, [...history, label('fraud', 1)]);
  t.equal(labelInForce(late), 'fraud');
  t.same(
    addLabel(late, label('legit', 0), true)?.at(-1),
    label('fraud', 1),
    'among each other by their time',
  );
  t.equal(addLabel(history, label('legit', 3), true), null, 'a repetition of what was taken back is none');
});

t.test('tells what the latest withdrawal took back', async (t) => {
  const once = [label('fraud', 1), label('legit', 2), label('fraud', 3), label('withdrawn', 4)];
  t.same(takenBack(once), ['legit', 'fraud']);
  t.same(takenBack([...once, label('abandoned', 5), label('withdrawn', 6), label('legit', 7)]), [
    'abandoned',
  ]);
  t.same(takenBack([label('fraud', 1)]), []);
  t.same([withdrawals([]), withdrawals(once)], [0, 1]);
});
