import type { Test } from 'tap';
import {
  CLAIMS_MAX,
  LEASE_MS,
  QUEUES_MAX,
  type ReviewStore,
  type SavedQueue,
} from '../../src/application/review/review-store.ts';

/** One implementation of the store, as the suite needs it. */
export interface ReviewStoreTwin {
  readonly id: ReviewStore['place'];
  /** Opens an empty store that ends with the test. */
  open(t: Test): Promise<ReviewStore>;
  /** What knows the same queues afterwards: another replica, or the next start; absent where nothing does. */
  openAfter?(t: Test): Promise<ReviewStore>;
}

const ANNA = { holder: 'a'.repeat(32), name: 'Anna Ünal #12' };
const BEN = { holder: 'b'.repeat(32), name: 'key-ben' };

/** A queue with this name. */
export function createQueue(name: string, decision = 'CHALLENGE'): SavedQueue {
  return { name, filters: { decision, label: 'none' }, savedBy: 'Anna "Ü"', savedAtMs: 1_700_000_000_000 };
}

/** Everything that every store of reviews promises. */
export function testReviewStore(t: Test, twin: ReviewStoreTwin): void {
  t.test('keeps queues whole, by their names', async (t) => {
    const store = await twin.open(t);
    t.equal(store.place, twin.id);
    t.same(await store.queues(), []);
    const [b, a] = [createQueue('b'), createQueue('A é "q"')];
    t.equal(await store.putQueue(b), 'kept');
    t.equal(await store.putQueue(a), 'kept');
    t.strictSame(await store.queues(), [a, b]);
    const changed = createQueue('b', 'BLOCK');
    t.equal(await store.putQueue(changed), 'kept');
    if (twin.openAfter !== undefined) t.strictSame(await (await twin.openAfter(t)).queues(), [a, changed]);
    t.equal(await store.removeQueue('b'), true);
    t.equal(await store.removeQueue('b'), false);
    t.strictSame(await store.queues(), [a]);
  });

  t.test('keeps a bounded number of queues', async (t) => {
    const store = await twin.open(t);
    const put = Array.from({ length: QUEUES_MAX }, (_, number) => store.putQueue(createQueue(`q-${number}`)));
    t.same(new Set(await Promise.all(put)), new Set(['kept']));
    t.equal(await store.putQueue(createQueue('one-more')), 'full');
    t.equal(await store.putQueue(createQueue('q-3', 'ALLOW')), 'kept');
    t.equal((await store.queues())?.length, QUEUES_MAX);
  });

  t.test('gives a decision to one at a time', async (t) => {
    const store = await twin.open(t);
    t.same(await store.claims(), []);
    const [first, second] = await Promise.all([
      store.claim(['d1', 'd2', 'd1'], ANNA),
      store.claim(['d2'], BEN),
    ]);
    t.match(first, [{ decisionId: 'd1', ...ANNA }, { decisionId: 'd2' }]);
    t.equal(first?.length, 2);
    t.equal(
      second?.[0]?.holder,
      first?.find(({ decisionId }) => decisionId === 'd2')?.holder,
      'both are told who',
    );
    t.match(await store.claim(['d1'], BEN), [{ decisionId: 'd1', ...ANNA }]);
    const again = await store.claim(['d1'], ANNA);
    t.ok((again?.[0]?.untilMs ?? 0) >= (first?.[0]?.untilMs ?? Number.NaN), 'and may have it for longer');
    t.equal(await store.release('d1', BEN.holder), false);
    t.equal(await store.release('d1', ANNA.holder), true);
    t.equal(await store.release('d1', ANNA.holder), false);
    t.match(await store.claim(['d1'], BEN), [{ decisionId: 'd1', ...BEN }]);
    t.equal((await store.claims())?.length, 2);
  });

  t.test('takes a bounded number of decisions', async (t) => {
    const store = await twin.open(t);
    const ids = Array.from({ length: CLAIMS_MAX }, (_, number) => `d-${number}`);
    t.equal((await store.claim(ids, ANNA))?.length, CLAIMS_MAX);
    t.same(await store.claim(['one-more'], ANNA), []);
    t.same(
      (await store.claim(['d-7', 'one-more'], BEN))?.map(({ name }) => name),
      [ANNA.name],
    );
    await store.release('d-7', ANNA.holder);
    t.equal((await store.claim(['one-more'], BEN))?.length, 1);
  });
}

/** How long a decision may be taken at most after `beforeMs`. */
export function endsWithin(untilMs: number, beforeMs: number, afterMs: number): boolean {
  return untilMs >= beforeMs + LEASE_MS && untilMs <= afterMs + LEASE_MS;
}
