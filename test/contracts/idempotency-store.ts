import type { Test } from 'tap';
import type {
  ClaimedRequest,
  IdempotencyStore,
  StoredAnswer,
} from '../../src/application/callers/idempotency-store.ts';

/**
 * One implementation of the store. `open` gives an empty one. `pass` lets so much time go by for it, by its
 * own clock.
 */
export interface IdempotencyStoreTwin {
  readonly id: string;
  open(t: Test): Promise<{ readonly store: IdempotencyStore; pass(ms: number): Promise<void> }>;
}

const ANSWER: StoredAnswer = {
  decisionId: 'decision-1',
  body: '{"decision":"ALLOW","é":"\\u2028"}',
};
const LOCK_MS = 60_000;
const TTL_MS = 120_000;

const request = (changes: Partial<ClaimedRequest> = {}): ClaimedRequest => ({
  key: 'key-1',
  fingerprint: 'content-1',
  owner: 'owner-1',
  ...changes,
});

/** What every idempotency store promises. */
export async function testIdempotencyStore(t: Test, twin: IdempotencyStoreTwin): Promise<void> {
  t.test('claims a key once, and then says that it is in flight', async (t) => {
    const { store } = await twin.open(t);
    t.same(await store.claim(request(), LOCK_MS), { kind: 'claimed' });
    t.same(await store.claim(request({ owner: 'owner-2' }), LOCK_MS), { kind: 'in_flight' });
    t.same(await store.claim(request({ key: 'key-2', owner: 'owner-2' }), LOCK_MS), { kind: 'claimed' });
  });

  t.test('lets exactly one of many claim a key', async (t) => {
    const { store } = await twin.open(t);
    const claims = await Promise.all(
      Array.from({ length: 100 }, async (_, place) =>
        store.claim(request({ owner: `owner-${place}` }), LOCK_MS),
      ),
    );
    t.equal(claims.filter(({ kind }) => kind === 'claimed').length, 1);
    t.equal(claims.filter(({ kind }) => kind === 'in_flight').length, 99);
  });

  t.test('gives the kept answer, byte for byte, to the same content only', async (t) => {
    const { store } = await twin.open(t);
    await store.claim(request(), LOCK_MS);
    store.keep(request(), ANSWER, TTL_MS);
    t.same(await store.claim(request({ owner: 'owner-2' }), LOCK_MS), { kind: 'stored', answer: ANSWER });
    t.same(await store.claim(request({ fingerprint: 'content-2' }), LOCK_MS), { kind: 'mismatch' });
    t.same(
      await store.claim(request(), LOCK_MS),
      { kind: 'stored', answer: ANSWER },
      'as often as it is asked',
    );
  });

  t.test('tells other content apart while the first is in flight', async (t) => {
    const { store } = await twin.open(t);
    await store.claim(request(), LOCK_MS);
    t.same(await store.claim(request({ fingerprint: 'content-2' }), LOCK_MS), { kind: 'mismatch' });
  });

  t.test('frees a key that is released by its owner, and by nobody else', async (t) => {
    const { store } = await twin.open(t);
    await store.claim(request(), LOCK_MS);
    store.release(request({ owner: 'owner-2' }));
    t.same(await store.claim(request({ owner: 'owner-3' }), LOCK_MS), { kind: 'in_flight' });
    store.release(request());
    t.same(await store.claim(request({ owner: 'owner-3' }), LOCK_MS), { kind: 'claimed' });
  });

  t.test('does not release an answer', async (t) => {
    const { store } = await twin.open(t);
    await store.claim(request(), LOCK_MS);
    store.keep(request(), ANSWER, TTL_MS);
    store.release(request());
    t.match(await store.claim(request(), LOCK_MS), { kind: 'stored' });
  });

  t.test('keeps no answer in the place of another claim or answer', async (t) => {
    const { store } = await twin.open(t);
    await store.claim(request(), LOCK_MS);
    const late = { ...ANSWER, decisionId: 'late' };
    store.keep(request({ owner: 'owner-2' }), late, TTL_MS);
    t.same(await store.claim(request({ owner: 'owner-3' }), LOCK_MS), { kind: 'in_flight' });
    store.keep(request(), ANSWER, TTL_MS);
    store.keep(request({ owner: 'owner-2' }), late, TTL_MS);
    t.match(await store.claim(request(), LOCK_MS), { kind: 'stored', answer: { decisionId: 'decision-1' } });
  });

  t.test('keeps the answer of a claim that nobody heard of', async (t) => {
    const { store } = await twin.open(t);
    store.keep(request(), ANSWER, TTL_MS);
    t.match(await store.claim(request({ owner: 'owner-2' }), LOCK_MS), { kind: 'stored' });
  });

  t.test('frees the key of a request that never ended, and forgets answers in time', async (t) => {
    const { store, pass } = await twin.open(t);
    await store.claim(request(), 200);
    await pass(250);
    t.same(await store.claim(request({ owner: 'owner-2' }), LOCK_MS), { kind: 'claimed' });
    store.keep(request({ owner: 'owner-2' }), ANSWER, 200);
    await pass(250);
    t.same(await store.claim(request({ owner: 'owner-3' }), LOCK_MS), { kind: 'claimed' });
  });
}
