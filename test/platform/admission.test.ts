import t from 'tap';
import { createAdmission, type LoadSample } from '../../src/platform/admission.ts';

const CALM: LoadSample = { delayMs: 2, utilization: 0.6, heapShare: 0.3 };
const LATE: LoadSample = { delayMs: 200, utilization: 1, heapShare: 0.3 };

function open(delayMaxMs: number | null = 50) {
  const changes: boolean[] = [];
  let next = 0;
  const admission = createAdmission({
    delayMaxMs,
    // Walks evenly through the interval from 0 to 1, so that a share can be counted.
    random: () => {
      next = (next + 1) % 100;
      return next / 100;
    },
    onChange: (isShedding) => changes.push(isShedding),
  });
  const note = (sample: LoadSample, times = 1) => {
    for (let count = 0; count < times; count += 1) admission.note(sample);
  };
  const refusedOf100 = () =>
    Array.from({ length: 100 }, () => admission.refusal()).filter((refusal) => refusal === 'event_loop')
      .length;
  return { admission, changes, note, refusedOf100 };
}

t.test('lets everybody in while all is well, and after a pause', async (t) => {
  const { changes, note, refusedOf100 } = open();
  note(CALM, 10);
  note(LATE, 3);
  note(CALM, 4);
  note({ ...LATE, delayMs: 10_000 });
  t.equal(refusedOf100(), 0);
  t.same(changes, []);
});

t.test('refuses a growing share while a queue stands, never all, and says so once', async (t) => {
  const { changes, note, refusedOf100 } = open();
  note(LATE, 4);
  const first = refusedOf100();
  t.equal(first, 75);
  note(LATE);
  const second = refusedOf100();
  t.ok(second > first);
  note(LATE, 50);
  t.equal(refusedOf100(), 95);
  t.same(changes, [true]);
});

t.test('refuses in proportion to how late the loop is', async (t) => {
  const { note, refusedOf100 } = open();
  note({ ...LATE, delayMs: 60 }, 9);
  const few = refusedOf100();
  t.ok(few > 10 && few < 25, `${few}`);
});

t.test('sees a queue that stands every other interval', async (t) => {
  const { note, refusedOf100 } = open();
  for (let count = 0; count < 20; count += 1) note(count % 3 === 0 ? CALM : LATE);
  t.ok(refusedOf100() > 50);
});

t.test('lets everybody in again step by step when the queue is gone', async (t) => {
  const { changes, note, refusedOf100 } = open();
  note(LATE, 20);
  note(CALM);
  t.ok(refusedOf100() >= 85);
  note(CALM, 19);
  t.equal(refusedOf100(), 0);
  t.same(changes, [true, false]);
});

t.test('refuses nobody when it is the machine that has no time', async (t) => {
  const { note, refusedOf100 } = open();
  note({ ...LATE, utilization: 0.4 }, 50);
  t.equal(refusedOf100(), 0);
});

t.test('refuses everybody before the heap is full, at once', async (t) => {
  const { admission, changes, note } = open(null);
  note({ ...CALM, heapShare: 0.91 });
  t.equal(admission.refusal(), 'heap');
  note(CALM);
  t.equal(admission.refusal(), null);
  t.same(changes, [true, false]);
});

t.test('does not watch the loop where it is told not to', async (t) => {
  const { note, refusedOf100 } = open(null);
  note(LATE, 50);
  t.equal(refusedOf100(), 0);
});

t.test('is strained before it refuses anybody, and while it does', async (t) => {
  const { admission, note, refusedOf100 } = open();
  note(CALM, 4);
  t.equal(admission.isStrained(), false);
  note({ ...LATE, delayMs: 45 }, 12);
  t.equal(refusedOf100(), 0);
  t.equal(admission.isStrained(), true);
  note(LATE, 10);
  t.equal(admission.isStrained(), true);
  note(CALM, 60);
  t.equal(admission.isStrained(), false);
  note({ ...CALM, heapShare: 0.85 });
  t.equal(admission.refusal(), null);
  t.equal(admission.isStrained(), true, 'by the heap');
});

t.test('is not strained by a loop that nobody watches', async (t) => {
  const { admission, note } = open(null);
  note(LATE, 20);
  t.equal(admission.isStrained(), false);
});
