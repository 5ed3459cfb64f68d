import t from 'tap';
import { createReview } from '../../../src/application/review/review.ts';
import type { ReviewStore } from '../../../src/application/review/review-store.ts';
import { createMemoryReviewStore } from '../../../src/stores/review/memory-store.ts';
import { createManualClock } from '../../support/test-app.ts';

const ANNA = { holder: 'aa', name: 'Anna' };
const FILTERS = { decision: 'CHALLENGE' };

function open(changes: Partial<ReviewStore> = {}) {
  const clock = createManualClock(1_000);
  return createReview({ store: { ...createMemoryReviewStore({ clock }), ...changes }, clock });
}

t.test('saves queues under the name of who did it', async (t) => {
  const review = open();
  t.equal(review.place, 'process');
  const saved = { name: 'Payouts', filters: FILTERS, savedBy: 'Anna', savedAtMs: 1_000 };
  t.same(await review.saveQueue('Payouts', FILTERS, 'Anna'), saved);
  t.same(await review.queues(), [saved]);
  t.equal(await review.removeQueue('Payouts'), true);
  t.equal(await review.removeQueue('Payouts'), false);
});

t.test('keeps no identifier in the name of a queue', async (t) => {
  const refusal = { code: 'invalid_request', fields: [{ pointer: '/name' }] };
  await t.rejects(open().saveQueue('of me@example.com', FILTERS, 'Anna'), refusal);
});

t.test('takes decisions and gives them back', async (t) => {
  const review = open();
  t.match(await review.claim(['one', 'one'], ANNA), [{ decisionId: 'one', ...ANNA }]);
  t.equal((await review.claims()).length, 1);
  await review.release('one', ANNA);
  await review.release('one', ANNA);
  t.same(await review.claims(), []);
});

t.test('says that there are too many', async (t) => {
  const full = open({ putQueue: async () => 'full', claim: async () => [] });
  await t.rejects(full.saveQueue('a', FILTERS, 'Anna'), { code: 'conflict' });
  await t.rejects(full.claim(['one'], ANNA), { code: 'conflict' });
});

t.test('says that the store cannot tell', async (t) => {
  const lost = open({
    queues: async () => null,
    putQueue: async () => 'unknown',
    removeQueue: async () => 'unknown',
    claims: async () => null,
    claim: async () => null,
    release: async () => 'unknown',
  });
  const questions: readonly (() => Promise<unknown>)[] = [
    () => lost.queues(),
    () => lost.saveQueue('a', FILTERS, 'Anna'),
    () => lost.removeQueue('a'),
    () => lost.claims(),
    () => lost.claim(['one'], ANNA),
    () => lost.release('one', ANNA),
  ];
  for (const ask of questions) {
    const answer: Promise<unknown> = ask();
    await t.rejects(answer as Promise<void>, { code: 'store_unavailable' });
  }
});
