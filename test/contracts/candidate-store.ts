import type { Test } from 'tap';
import {
  CANDIDATES_MAX,
  type CandidateStore,
  type StoredCandidate,
} from '../../src/application/candidates/candidate-store.ts';

/** One implementation of the store, as the suite needs it. */
export interface CandidateStoreTwin {
  readonly id: CandidateStore['place'];
  /** Opens an empty store that ends with the test. */
  open(t: Test): Promise<CandidateStore>;
  /** Opens another one on what `open` opened last; absent where it cannot be shared. */
  openBeside?(t: Test): Promise<CandidateStore>;
}

/** A candidate with this id. */
export function createStored(id: string, text = 'policy: "é\u2028\\"\n'): StoredCandidate {
  return {
    id,
    hash: `sha256:${id}`,
    text,
    tests: 'cases: []',
    addedBy: 'admin',
    addedAtMs: 1_700_000_000_000,
  };
}

/** Everything that every store of candidates promises. */
export function testCandidateStore(t: Test, twin: CandidateStoreTwin): void {
  t.test('keeps candidates whole, by their ids', async (t) => {
    const store = await twin.open(t);
    t.equal(store.place, twin.id);
    t.same(store.candidates(), []);
    let changes = 0;
    store.onChange(() => {
      changes += 1;
    });
    const [b, a] = [createStored('b'), createStored('a')];
    t.equal(await store.put(b), 'kept');
    t.equal(await store.put(a), 'kept');
    t.strictSame(store.candidates(), [a, b]);
    t.equal(store.candidates(), store.candidates(), 'the same list');
    const changed = createStored('a', 'policy: changed');
    t.equal(await store.put(changed), 'kept');
    t.strictSame(store.candidates(), [changed, b]);
    t.strictSame(await store.remove('a'), changed);
    t.equal(await store.remove('a'), null);
    t.strictSame(store.candidates(), [b]);
    t.equal(changes, 4);
  });

  t.test('keeps a bounded number', async (t) => {
    const store = await twin.open(t);
    for (let number = 0; number < CANDIDATES_MAX; number += 1)
      t.equal(await store.put(createStored(`c-${number}`)), 'kept');
    t.equal(await store.put(createStored('one-more')), 'full');
    t.equal(await store.put(createStored('c-3', 'policy: other')), 'kept');
    t.equal(store.candidates().length, CANDIDATES_MAX);
    await store.remove('c-0');
    t.equal(await store.put(createStored('one-more')), 'kept');
  });

  if (twin.openBeside === undefined) return;
  const openBeside = twin.openBeside.bind(twin);
  t.test('tells what others have changed', async (t) => {
    const store = await twin.open(t);
    const other = await openBeside(t);
    const heard = new Promise<void>((resolve) =>
      other.onChange(() => other.candidates().length > 0 && resolve()),
    );
    await store.put(createStored('a'));
    await heard;
    t.strictSame(other.candidates(), store.candidates());
    const gone = new Promise<void>((resolve) => store.onChange(resolve));
    await other.remove('a');
    await gone;
    t.same(store.candidates(), []);
  });
}
