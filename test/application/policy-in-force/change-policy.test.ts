import { randomUUID } from 'node:crypto';
import t from 'tap';
import type { RecordedEvent } from '../../../src/application/decision-log/record-event.ts';
import { createChangePolicy } from '../../../src/application/policy-in-force/change-policy.ts';
import { createLateChanges } from '../../../src/application/policy-in-force/late-changes.ts';
import type { ChangeResult, PolicyStore } from '../../../src/application/policy-in-force/policy-store.ts';
import { createMemoryPolicyStore } from '../../../src/stores/policy-in-force/memory-store.ts';
import { policyOf } from '../candidates/open-candidates.ts';

const CHANGER = { caller: 'admin', requestId: 'request-1' };
const FILE = { ...policyOf([['!a.found', 'BLOCK']]), text: 'file' };
const [A, B] = ['a', 'b'].map((id) => ({ id, hash: `sha256:${id}`, text: `text of ${id}` })) as [
  { id: string; hash: string; text: string },
  { id: string; hash: string; text: string },
];

function open(changes: Partial<PolicyStore> = {}) {
  const store: PolicyStore = { ...createMemoryPolicyStore(), place: 'redis', ...changes };
  const events: RecordedEvent[] = [];
  let settlings = 0;
  const change = createChangePolicy({
    store,
    inForce: {
      policy: () => {
        const hash = store.state().inForce?.hash ?? FILE.hash;
        return { ...FILE, hash, text: hash === FILE.hash ? FILE.text : null };
      },
      settled: async () => {
        settlings += 1;
      },
    },
    file: () => FILE,
    check: async (text) => (text === 'bad' ? ['1:1: bad'] : []),
    textOf: (hash) => store.find(hash),
    clock: { nowMs: () => 5_000 },
    newId: randomUUID,
    record: async (event) => void events.push(event),
  });
  const put = (policy: typeof A, expectedRevision = store.state().revision) =>
    change.put({ policy, why: 'promoted', rollout: null, expectedRevision, reason: null }, CHANGER);
  return { change, put, store, events, settlings: () => settlings };
}

t.test('puts a policy in force with who did it, when and why, and records it', async (t) => {
  const { change, put, store, events, settlings } = open();
  const entry = {
    id: 'a',
    hash: A.hash,
    sinceMs: 5_000,
    by: 'admin',
    why: 'promoted',
    previousHash: FILE.hash,
  };
  t.strictSame(await put(A), entry);
  t.strictSame(store.state().inForce, { ...entry, text: A.text });
  t.equal(settlings(), 1);
  const rollout = { ...FILE, id: 'file', text: 'file', part: { until: 9 } };
  const { revision: expectedRevision } = store.state();
  const back = {
    policy: B,
    why: 'rolled_back' as const,
    rollout,
    expectedRevision,
    reason: 'too many blocks',
  };
  t.match(await change.put(back, { caller: null, requestId: null }), { by: null, previousHash: A.hash });
  t.match(store.state(), { inForce: { hash: B.hash }, rollout: { hash: FILE.hash, part: { until: 9 } } });
  t.strictSame(events, [
    {
      event: 'policy_changed',
      caller: 'admin',
      request_id: 'request-1',
      change: 'promoted',
      policy: { id: 'a', hash: A.hash },
      previous: FILE.hash,
      reason: null,
    },
    {
      event: 'policy_changed',
      caller: '',
      request_id: null,
      change: 'rolled_back',
      policy: { id: 'b', hash: B.hash },
      previous: A.hash,
      reason: 'too many blocks',
    },
  ]);
});

t.test('says when by the clock that replicas share', async (t) => {
  const { change, put, store } = open({ clock: () => ({ nowMs: 9_000, changedAtMs: 0 }) });
  t.match(await put(A), { sinceMs: 9_000 });
  const aborted = { hash: B.hash, by: null };
  await change.putRollout({ rollout: null, expectedRevision: store.state().revision, aborted });
  t.same(store.state().aborted, [{ ...aborted, atMs: 9_000 }]);
});

t.test('replaces what stands beside it, and keeps what is in force', async (t) => {
  const { change, put, store, events } = open();
  const rollout = { ...B, part: { share: 0.05 } };
  await change.putRollout({ rollout, expectedRevision: 0 });
  t.match(store.state(), { inForce: null, rollout });
  await put(A);
  t.equal(store.state().rollout, null);
  await change.putRollout({ rollout, expectedRevision: store.state().revision });
  t.match(store.state(), { inForce: { hash: A.hash, text: A.text }, rollout });
  await t.rejects(change.putRollout({ rollout: null, expectedRevision: 0 }), { code: 'conflict' });
  const aborted = { hash: B.hash, by: null };
  await change.putRollout({ rollout: null, expectedRevision: store.state().revision, aborted });
  t.same(store.state().aborted, [{ ...aborted, atMs: 5_000 }]);
  t.match(store.state(), { inForce: { hash: A.hash }, rollout: null });
  t.equal(store.state().history.length, 1);
  t.equal(events.length, 1);
  const whole = store.state();
  const textless = open({
    state: () => ({ ...whole, inForce: whole.inForce && { ...whole.inForce, text: null } }),
  });
  await t.rejects(textless.change.putRollout({ rollout, expectedRevision: whole.revision }), {
    code: 'conflict',
  });
});

t.test('restores what was in force, and releases it', async (t) => {
  const { change, put, store, events } = open();
  await put(A);
  await put(B);
  t.match(await change.restore(A.hash, CHANGER), { hash: A.hash, why: 'restored', previousHash: B.hash });
  t.equal(store.state().inForce?.text, A.text);
  await t.rejects(change.restore(A.hash, CHANGER), { code: 'conflict' });
  t.equal(await change.restore('sha256:none', CHANGER), null);
  t.match(await change.release(CHANGER), { hash: FILE.hash, why: 'released', previousHash: A.hash });
  t.equal(store.state().inForce, null);
  t.equal(await change.release(CHANGER), null);
  t.match(await change.restore(A.hash, CHANGER), { why: 'restored' }, 'also over the file');
  t.same(
    events.map((event) => 'change' in event && event.change),
    ['promoted', 'promoted', 'restored', 'released', 'restored'],
  );
  t.equal(store.state().history.length, 5);
});

t.test('restores nothing that this version refuses, or whose text is lost', async (t) => {
  const { change, put, store, events } = open();
  await put({ ...A, text: 'bad' });
  await put(B);
  await t.rejects(change.restore(A.hash, CHANGER), {
    code: 'invalid_request',
    fields: [{ pointer: '/policy', detail: '1:1: bad' }],
  });
  const lost = open({ state: () => store.state() });
  await t.rejects(lost.change.restore(A.hash, CHANGER), { code: 'not_found' });
  t.equal(store.state().inForce?.hash, B.hash);
  t.equal(events.length, 2);
});

t.test('makes one of two changes that were judged by the same state', async (t) => {
  const { put, store, events } = open();
  const results = await Promise.allSettled([put(A, 0), put(B, 0)]);
  t.match(results, [{ status: 'fulfilled' }, { status: 'rejected', reason: { code: 'conflict' } }]);
  t.equal(store.state().inForce?.hash, A.hash);
  t.equal(events.length, 1);
});

t.test('says what a store could not do, and that a process alone does nothing', async (t) => {
  const unknown = open({ change: async (): Promise<ChangeResult> => 'unknown' });
  await t.rejects(unknown.put(A), { code: 'store_unavailable' });
  const loading = open({ knowledge: () => 'loading' });
  await t.rejects(loading.put(A), { code: 'store_unavailable' });
  const alone = open({ place: 'process' });
  const changes: readonly (() => Promise<unknown>)[] = [
    () => alone.put(A),
    () => alone.change.putRollout({ rollout: null, expectedRevision: 0 }),
    () => alone.change.restore(A.hash, CHANGER),
    () => alone.change.release(CHANGER),
  ];
  for (const changing of changes)
    await t.rejects(changing(), { code: 'conflict', publicDetail: /Without Redis/ });
  t.same([...unknown.events, ...loading.events, ...alone.events], []);
});

/** A store that makes changes and says nothing of it, nor shows it, until it is told to. */
function createSilentStore() {
  const inner = createMemoryPolicyStore();
  let shown = inner.state();
  let makes: () => Promise<unknown> = async () => {};
  const listeners: (() => void)[] = [];
  const show = () => {
    shown = inner.state();
    for (const listener of listeners) listener();
  };
  const changes: Partial<PolicyStore> = {
    state: () => shown,
    onChange: (listener) => void listeners.push(listener),
    change: async (change, expectedRevision): Promise<ChangeResult> => {
      makes = () => inner.change(change, expectedRevision);
      return 'unknown';
    },
  };
  return { inner, changes, show, make: async () => void (await makes()) };
}

t.test('records a change whose reply was lost once it is seen, and once', async (t) => {
  const { changes, show, make, inner } = createSilentStore();
  const { change, put, events } = open(changes);
  await t.rejects(put(A), { code: 'store_unavailable' });
  show();
  t.same(events, [], 'it may still be made');
  await make();
  t.same(events, [], 'it was not seen');
  show();
  show();
  t.match(events, [
    { event: 'policy_changed', caller: 'admin', policy: { hash: A.hash }, previous: FILE.hash },
  ]);

  // Told to who asked for a rollout, which is no event of its own.
  let told = 0;
  const onMadeLate = () => {
    told += 1;
  };
  const rollout = { ...B, part: null };
  await t.rejects(change.putRollout({ rollout, expectedRevision: inner.state().revision, onMadeLate }), {
    code: 'store_unavailable',
  });
  await make();
  show();
  t.equal(told, 1);
  await t.rejects(change.putRollout({ rollout: null, expectedRevision: inner.state().revision }), {
    code: 'store_unavailable',
  });
  await make();
  show();
  t.equal(events.length, 1);
});

t.test('records no change that was never made, and one that is seen at once without an error', async (t) => {
  const { changes, show, make, inner } = createSilentStore();
  const { put, events } = open(changes);
  await t.rejects(put(A), { code: 'store_unavailable' });
  await inner.change({ id: 'of another', inForce: null, rollout: null, entry: null }, 0);
  show();
  await make();
  show();
  t.same(events, []);
  t.equal(inner.state().inForce, null);
  const seen = open({
    ...changes,
    change: async (change, expectedRevision): Promise<ChangeResult> => {
      await inner.change(change, expectedRevision);
      show();
      return 'unknown';
    },
  });
  t.match(await seen.put(B, inner.state().revision), { hash: B.hash });
  t.equal(seen.events.length, 1);
});

t.test('follows a bounded number of changes', async (t) => {
  const listeners: (() => void)[] = [];
  const state = { ...createMemoryPolicyStore().state(), changeIds: ['0', '1'] };
  const late = createLateChanges({
    state: () => state,
    onChange: (listener) => void listeners.push(listener),
  });
  const made: number[] = [];
  for (let number = 0; number < 1_001; number += 1)
    late.follow({ id: String(number), expectedRevision: 0, onMade: () => void made.push(number) });
  for (const listener of listeners) listener();
  t.same(made, [1]);
});

t.test('works without a log, and with a file that has no text', async (t) => {
  const store: PolicyStore = { ...createMemoryPolicyStore(), place: 'redis' };
  const file = { ...FILE, text: null };
  const change = createChangePolicy({
    store,
    inForce: { policy: () => file, settled: async () => {} },
    file: () => file,
    check: async () => [],
    textOf: (hash) => store.find(hash),
    clock: { nowMs: () => 0 },
    newId: randomUUID,
    record: null,
  });
  await change.put({ policy: A, why: 'promoted', rollout: null, expectedRevision: 0, reason: null }, CHANGER);
  t.match(await change.release(CHANGER), { hash: FILE.hash });
});

t.test('keeps no text of another policy for one whose text is lost', async (t) => {
  const inner = createMemoryPolicyStore();
  const state = () => {
    const kept = inner.state();
    return { ...kept, inForce: kept.inForce && { ...kept.inForce, text: null } };
  };
  let live = FILE;
  const change = createChangePolicy({
    store: { ...inner, place: 'redis', state },
    inForce: { policy: () => live, settled: async () => {} },
    file: () => FILE,
    check: async () => [],
    textOf: (hash) => inner.find(hash),
    clock: { nowMs: () => 0 },
    newId: randomUUID,
    record: null,
  });
  await change.put({ policy: A, why: 'promoted', rollout: null, expectedRevision: 0, reason: null }, CHANGER);
  await t.rejects(change.putRollout({ rollout: null, expectedRevision: 1 }), { code: 'conflict' });
  live = { ...FILE, hash: A.hash, text: A.text };
  await change.putRollout({ rollout: null, expectedRevision: 1 });
  t.equal(inner.state().inForce?.text, A.text);
});
