import t from 'tap';
import type { ActivityStore, Claim } from '../../../src/application/activity/activity-store.ts';
import { createClaims } from '../../../src/application/activity/claims.ts';
import { createMemoryActivityStore } from '../../../src/stores/activity/memory-store.ts';
import { createManualClock } from '../../support/test-app.ts';

const under = (key: string) => (text: string) => `${key}:${text}`;

function open() {
  const memory = createMemoryActivityStore({ clock: createManualClock() });
  const store: Pick<ActivityStore, 'claim' | 'settle' | 'unclaim'> = {
    claim: (names) => memory.claim(names),
    settle: (names) => memory.settle(names),
    unclaim: (names) => memory.unclaim(names),
  };
  return { store, claimsOf: (...keys: string[]) => createClaims(store, keys.map(under)) };
}

t.test('counts nothing twice that was counted under one of the keys', async (t) => {
  const { claimsOf } = open();
  const [old, both, young] = [claimsOf('old'), claimsOf('young', 'old'), claimsOf('young')];
  t.same(await old.claim(['a']), ['new']);
  t.same(await both.claim(['a']), ['open'], 'whoever counts it now may fail to');
  t.same(await young.claim(['a']), ['new'], 'a claim that was in vain holds nobody up');
  await young.unclaim(['a']);
  await old.settle(['a']);
  t.same(await both.claim(['a', 'b', 'b']), ['done', 'new', 'open']);
  t.same(await young.claim(['a']), ['done'], 'it is known under the other key from then on');
  await both.settle(['b']);
  t.same(await old.claim(['b']), ['done']);
  t.same(await young.claim(['b']), ['done']);
});

t.test('gives up under every key', async (t) => {
  const { claimsOf } = open();
  const both = claimsOf('young', 'old');
  t.same(await both.claim(['a']), ['new']);
  await both.unclaim(['a']);
  t.same(await claimsOf('old').claim(['a']), ['new']);
});

t.test('does not know what the store does not', async (t) => {
  const { store } = open();
  const claims = createClaims({ ...store, claim: (): readonly Claim[] | null => null }, [under('old')]);
  t.equal(await claims.claim(['a']), null);
});
