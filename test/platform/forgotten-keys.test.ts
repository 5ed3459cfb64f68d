import { hash } from 'node:crypto';
import t from 'tap';
import { createForgottenKeys } from '../../src/platform/forgotten-keys.ts';

function keyOf(index: number): string {
  return hash('sha256', String(index)).slice(0, 32);
}

t.test('never fails to know a key, and rarely takes another for one', async (t) => {
  const forgotten = createForgottenKeys();
  t.equal(forgotten.isEmpty(0), true);
  t.equal(forgotten.mayHave(keyOf(0), 0), false);
  const count = 200_000;
  for (let index = 0; index < count; index += 1) forgotten.add(keyOf(index), 1_000, 0);
  t.equal(forgotten.isEmpty(0), false);
  let missed = 0;
  let mistaken = 0;
  for (let index = 0; index < count; index += 1) {
    if (!forgotten.mayHave(keyOf(index), 999)) missed += 1;
    if (forgotten.mayHave(keyOf(count + index), 999)) mistaken += 1;
  }
  t.equal(missed, 0);
  t.ok(mistaken < count / 1_000, `${mistaken} of ${count} strangers`);
  t.equal(forgotten.mayHave(keyOf(0), 1_000), false, 'all have run out');
  t.equal(forgotten.isEmpty(1_000), true);
});

t.test('starts over once everything has run out', async (t) => {
  const forgotten = createForgottenKeys();
  forgotten.add(keyOf(1), 1_000, 0);
  forgotten.add(keyOf(2), 3_000, 2_000);
  t.equal(forgotten.mayHave(keyOf(1), 2_000), false);
  t.equal(forgotten.mayHave(keyOf(2), 2_000), true);
});

t.test('passes on to a younger filter when the older one is full, and loses nothing by it', async (t) => {
  const forgotten = createForgottenKeys();
  const full = 800_000;
  for (let index = 0; index < full; index += 1) forgotten.add(keyOf(index), 1_000, 0);
  forgotten.add(keyOf(full), 2_000, 500);
  t.equal(forgotten.mayHave(keyOf(0), 999), true);
  t.equal(forgotten.mayHave(keyOf(full), 999), true);
  t.equal(forgotten.mayHave(keyOf(0), 1_000), false, 'the older one has run out');
  t.equal(forgotten.mayHave(keyOf(full), 1_999), true);
});
