import { hash as digest, randomUUID } from 'node:crypto';
import type { Test } from 'tap';
import type { PolicyChange, PolicyStore } from '../../src/application/policy-in-force/policy-store.ts';
import { POLICIES_REMEMBERED, type PolicyCause } from '../../src/domain/policy-in-force/policy-record.ts';
import { until } from '../support/test-app.ts';

/** One implementation of the store, as the suite needs it. */
export interface PolicyStoreTwin {
  readonly id: PolicyStore['place'];
  /** Opens an empty store that ends with the test. */
  open(t: Test): Promise<PolicyStore>;
  /** Opens another one on what `open` opened last; absent where it cannot be shared. */
  openBeside?(t: Test): Promise<PolicyStore>;
}

/** A policy that came into force. */
export function createPut(id: string, why: PolicyCause = 'promoted') {
  const text = `policy: "${id} é\u2028\\""\n`;
  const hash = `sha256:${digest('sha256', text)}`;
  return { id, hash, text, sinceMs: 1_700_000_000_000, by: 'admin', why, previousHash: null };
}

/** A change that puts it in force. */
export function putting(id: string, rollout: PolicyChange['rollout'] = null): PolicyChange {
  const put = createPut(id);
  return { id: randomUUID(), inForce: put, rollout, entry: put };
}

const withoutText = ({ text: _text, ...entry }: ReturnType<typeof createPut>) => entry;

/** Everything that every store of what is in force promises. */
export function testPolicyStore(t: Test, twin: PolicyStoreTwin): void {
  const open = async (t: Test) => {
    const store = await twin.open(t);
    await until('it is known', () => store.knowledge() === 'known');
    return store;
  };

  t.test('keeps what is in force whole, and what was', async (t) => {
    const store = await open(t);
    t.equal(store.place, twin.id);
    t.same(store.state(), {
      revision: 0,
      inForce: null,
      rollout: null,
      history: [],
      aborted: [],
      changeIds: [],
    });
    let changes = 0;
    store.onChange(() => {
      changes += 1;
    });
    const [a, b] = [createPut('a'), createPut('b')];
    const part = { share: 0.05, nested: { list: [], none: null } };
    const rollout = { id: a.id, hash: a.hash, text: a.text, part };
    t.equal(await store.change(putting('a'), 0), 'kept');
    const first = store.state().revision;
    t.ok(first > 0);
    const clock = store.clock();
    t.equal(clock?.changedAtMs ?? null, twin.id === 'redis' ? first : null);
    t.ok(clock === null || clock.nowMs >= first, 'it goes on');
    t.equal(store.state(), store.state(), 'the same object');
    t.equal(await store.change({ ...putting('b', rollout), id: 'second' }, first), 'kept');
    const { revision, changeIds, ...state } = store.state();
    t.match(changeIds, ['second', /./]);
    t.strictSame(state, { inForce: b, rollout, history: [withoutText(b), withoutText(a)], aborted: [] });
    t.ok(revision > first, 'it rises');
    t.equal(await store.find(a.hash), a.text);
    t.equal(await store.find('sha256:none'), null);
    const aborted = { hash: a.hash, atMs: 7, by: null };
    t.equal(await store.change({ ...putting('b'), id: 'third', entry: null, aborted }, revision), 'kept');
    t.equal(store.state().rollout, null);
    t.strictSame(store.state().aborted, [aborted]);
    t.equal(store.state().history.length, 2, 'nothing came into force by that');
    const file = createPut('file', 'released');
    const released = { id: 'fourth', inForce: null, rollout: null, entry: file };
    t.equal(await store.change(released, store.state().revision), 'kept');
    t.equal(store.state().inForce, null);
    t.match(store.state().changeIds, ['fourth', 'third', 'second', /./]);
    t.ok(store.state().revision > revision);
    t.same(store.state().history[0], withoutText(file));
    t.equal(changes, 4);
  });

  t.test('refuses a change that was judged by what is no more', async (t) => {
    const store = await open(t);
    t.equal(await store.change(putting('a'), 0), 'kept');
    t.equal(await store.change(putting('b'), 0), 'changed');
    t.equal(store.state().inForce?.id, 'a');
    t.equal(await store.find(createPut('b').hash), null);
    const { revision } = store.state();
    const results = await Promise.all(['c', 'd', 'e'].map((id) => store.change(putting(id), revision)));
    t.same(results.toSorted(), ['changed', 'changed', 'kept']);
    t.equal(store.state().history.length, 2);
  });

  t.test('remembers what comes from files, and changes nothing by it', async (t) => {
    const store = await open(t);
    const [a, b] = [createPut('a', 'file'), createPut('b', 'file')];
    t.equal(await store.note(a, '1'), true);
    t.equal(await store.note(a, '2'), false);
    t.equal(await store.note(b, '3'), true);
    t.equal(await store.note(a, '4'), true, 'it was in force again');
    t.strictSame(store.state().changeIds, ['4', '3', '1']);
    const { revision, inForce, history } = store.state();
    t.same([revision, inForce], [0, null]);
    t.same(history, [a, b, a].map(withoutText));
    t.equal(await store.find(a.hash), a.text);
    t.equal(await store.change(putting('c'), 0), 'kept');
  });

  t.test('forgets the oldest with their texts', async (t) => {
    const store = await open(t);
    const oldest = createPut('oldest', 'file');
    await store.note(oldest, 'note');
    await store.change(putting('put'), 0);
    // Each comes into force for a moment, so that it is remembered, and what was put stays.
    const remember = (id: string) =>
      store.change({ ...putting('put'), entry: createPut(id) }, store.state().revision);
    for (let number = 2; number < POLICIES_REMEMBERED; number += 1) await remember(`f-${number}`);
    t.equal(await store.find(oldest.hash), oldest.text);
    t.equal(await store.note(createPut('own', 'file'), 'own'), false, 'no file counts beside what was put');
    t.equal(await remember('one-more'), 'kept');
    t.equal(await remember('and-another'), 'kept');
    t.equal(store.state().history.length, POLICIES_REMEMBERED);
    t.equal(await store.find(oldest.hash), null);
    t.equal(await store.find(createPut('put').hash), createPut('put').text, 'it is in force');
  });

  if (twin.openBeside === undefined) return;
  const openBeside = twin.openBeside.bind(twin);
  t.test('tells what others have changed', async (t) => {
    const store = await open(t);
    const other = await openBeside(t);
    await store.change(putting('a'), 0);
    await until('the other has it', () => other.state().inForce !== null);
    t.strictSame(other.state(), store.state());
    const { revision } = store.state();
    const results = await Promise.all([
      store.change(putting('b'), revision),
      other.change(putting('c'), revision),
    ]);
    t.same(results.toSorted(), ['changed', 'kept']);
    await until('they agree', () => store.state().revision === other.state().revision);
    t.strictSame(other.state(), store.state());
    const later = await openBeside(t);
    await later.firstRead;
    t.strictSame(later.state(), store.state());
    t.equal(later.knowledge(), 'known');
  });
}
