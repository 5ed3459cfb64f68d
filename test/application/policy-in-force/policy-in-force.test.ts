import { randomUUID } from 'node:crypto';
import t from 'tap';
import { createPolicyInForce } from '../../../src/application/policy-in-force/policy-in-force.ts';
import type {
  PolicyChange,
  PolicyKnowledge,
  PolicyStore,
} from '../../../src/application/policy-in-force/policy-store.ts';
import type { CompiledPolicy } from '../../../src/domain/policy/compile.ts';
import type { PolicyCause } from '../../../src/domain/policy-in-force/policy-record.ts';
import { failure, success } from '../../../src/domain/result.ts';
import { createMemoryPolicyStore } from '../../../src/stores/policy-in-force/memory-store.ts';
import { policyOf } from '../candidates/open-candidates.ts';

/** A policy with a text of its own, by which it is compiled again. */
function createPolicy(): CompiledPolicy {
  const policy = policyOf([['!a.found', 'BLOCK']]);
  return { ...policy, text: `text of ${policy.hash}` };
}

function putOf({ id, hash, text }: CompiledPolicy, why: PolicyCause = 'promoted') {
  return { id, hash, text: text ?? '', sinceMs: 5, by: 'admin', why, previousHash: null };
}

/** A store whose knowledge a test sets, and one that has lost texts. */
function createStore() {
  const store = createMemoryPolicyStore();
  let knowledge: PolicyKnowledge = 'known';
  let hasTexts = true;
  /** The note itself, or the reply to it. */
  let lost: 'note' | 'reply' | null = null;
  const listeners: (() => void)[] = [];
  const withoutText = <Part extends object>(part: Part | null) => part && { ...part, text: null };
  const twin: PolicyStore = {
    ...store,
    knowledge: () => knowledge,
    note: async (policy, id) => {
      const isNew = lost !== 'note' && (await store.note(policy, id));
      return lost === null && isNew;
    },
    state: () => {
      const state = store.state();
      if (hasTexts) return state;
      return { ...state, inForce: withoutText(state.inForce), rollout: withoutText(state.rollout) };
    },
    onChange: (listener) => {
      listeners.push(listener);
      store.onChange(listener);
    },
  };
  return {
    store: twin,
    set: (value: PolicyKnowledge) => {
      knowledge = value;
      for (const listener of listeners) listener();
    },
    loseTexts: (value = true) => {
      hasTexts = !value;
    },
    loseNotes: (value: typeof lost) => {
      lost = value;
    },
    change: (change: Omit<PolicyChange, 'id'>) =>
      twin.change({ ...change, id: randomUUID() }, twin.state().revision),
    put: (policy: CompiledPolicy, rollout: PolicyChange['rollout'] = null) =>
      twin.change(
        { id: randomUUID(), inForce: putOf(policy), rollout, entry: putOf(policy) },
        twin.state().revision,
      ),
  };
}

function open(knowledge: PolicyKnowledge = 'known') {
  const opened = createStore();
  opened.set(knowledge);
  let file = createPolicy();
  const found: CompiledPolicy[] = [];
  const compiled: string[] = [];
  const compilable: CompiledPolicy[] = [];
  const told: unknown[] = [];
  const inForce = createPolicyInForce({
    store: opened.store,
    file: () => file,
    find: (hash) => found.find((one) => one.hash === hash) ?? null,
    compile: async (text) => {
      compiled.push(text);
      const policy = compilable.find((one) => one.text === text);
      return policy ? success(policy) : failure(['1:1: bad']);
    },
    clock: { nowMs: () => 7 },
    newId: randomUUID,
    onTaken: ({ hash }, put) => told.push(['taken', hash, put?.why ?? null]),
    onRefused: ({ hash }, mistakes) => told.push(['refused', hash, mistakes]),
    onFileDiffers: ({ hash }, put) => told.push(['differs', hash, put.hash]),
    onNoted: ({ hash }, previous) => told.push(['noted', hash, previous]),
  });
  return {
    ...opened,
    inForce,
    told,
    compiled,
    compilable,
    found,
    file: () => file,
    changeFile: (policy: CompiledPolicy) => {
      file = policy;
      inForce.fileChanged();
    },
  };
}

t.test('judges by what was put in force over the file, and by the file when it is released', async (t) => {
  const { inForce, put, change, told, compilable, compiled, file } = open();
  await inForce.settled();
  t.equal(inForce.policy(), file());
  t.strictSame(inForce.status(), { state: 'file', put: null, fileDiffers: false });
  const [next, beside] = [createPolicy(), createPolicy()];
  compilable.push(next, beside);
  await put(next);
  await inForce.settled();
  t.equal(inForce.policy(), next);
  t.match(inForce.status(), { state: 'put', put: { hash: next.hash, why: 'promoted' }, fileDiffers: true });
  const rollout = { id: beside.id, hash: beside.hash, text: beside.text ?? '', part: { share: 0.1 } };
  await change({ inForce: putOf(next), rollout, entry: null });
  await inForce.settled();
  t.strictSame(inForce.rollout(), { policy: beside, rollout });
  t.same(compiled, [next.text, beside.text], 'each is compiled once');
  await change({ inForce: null, rollout: null, entry: putOf(file(), 'released') });
  await inForce.settled();
  t.equal(inForce.policy(), file());
  t.equal(inForce.rollout(), null);
  t.same(told, [
    ['taken', next.hash, 'promoted'],
    ['taken', file().hash, null],
  ]);
});

t.test('takes a policy that is compiled already, and says nothing where the file has it', async (t) => {
  const { inForce, put, found, file, told, compiled } = open();
  found.push(file());
  await put(file());
  await inForce.settled();
  t.equal(inForce.policy(), file());
  t.match(inForce.status(), { state: 'put', fileDiffers: false });
  t.same([told, compiled], [[], []]);
});

t.test(
  'keeps what it has where a policy cannot be used here, and lets nothing stand beside it',
  async (t) => {
    const { inForce, put, change, compilable, told, loseTexts } = open();
    const [good, beside, bad, other] = [createPolicy(), createPolicy(), createPolicy(), createPolicy()];
    compilable.push(good, beside, { ...other, hash: 'sha256:of another text' });
    const rollout = { id: beside.id, hash: beside.hash, text: beside.text ?? '', part: null };
    await put(good, rollout);
    await inForce.settled();
    t.equal(inForce.rollout()?.policy, beside);
    t.equal(inForce.isRolloutRefused(), false);
    await put(bad, rollout);
    await inForce.settled();
    t.equal(inForce.policy(), good);
    t.equal(inForce.rollout(), null);
    t.equal(inForce.isRolloutRefused(), true);
    t.match(inForce.status(), { state: 'refused', put: { hash: bad.hash } });
    await put(other);
    await inForce.settled();
    t.equal(inForce.policy(), good);
    t.equal(inForce.isRolloutRefused(), false);
    const badRollout = { id: bad.id, hash: bad.hash, text: bad.text ?? '', part: null };
    await change({ inForce: putOf(good), rollout: badRollout, entry: putOf(good) });
    await inForce.settled();
    t.equal(inForce.policy(), good);
    t.equal(inForce.rollout(), null);
    t.equal(inForce.isRolloutRefused(), true);
    t.match(inForce.status(), { state: 'put' });
    loseTexts();
    await put(beside);
    await inForce.settled();
    t.same(told.slice(1), [
      ['refused', bad.hash, ['1:1: bad']],
      ['refused', other.hash, ['its text is another one']],
      ['refused', bad.hash, ['1:1: bad']],
      ['refused', beside.hash, ['its text is lost']],
    ]);
    t.equal(inForce.policy(), good);
  },
);

t.test('says whether it knows what is in force', async (t) => {
  const { inForce, set, put, compilable, store } = open('loading');
  t.match(inForce.status(), { state: 'unknown', put: null });
  await inForce.settled();
  t.same(store.state().history, [], 'what is not known is not added to');
  set('known');
  await inForce.settled();
  t.match(inForce.status(), { state: 'file' });
  t.equal(store.state().history.length, 1);
  const next = createPolicy();
  compilable.push(next);
  await put(next);
  await inForce.settled();
  set('stale');
  t.match(inForce.status(), { state: 'stale', put: { hash: next.hash } });
  t.equal(inForce.policy(), next);
});

t.test('remembers the policies of the file, and tells of a file that is not in force', async (t) => {
  const { inForce, put, change, compilable, told, store, changeFile, file } = open();
  const first = file();
  await inForce.settled();
  const second = createPolicy();
  changeFile(second);
  await inForce.settled();
  t.match(store.state().history, [
    { hash: second.hash, why: 'file', by: null, sinceMs: 7, previousHash: first.hash },
    { hash: first.hash, previousHash: null },
  ]);
  changeFile({ ...createPolicy(), text: null });
  await inForce.settled();
  t.equal(store.state().history.length, 2, 'what has no text is not remembered');
  const next = createPolicy();
  compilable.push(next);
  await put(next);
  const third = createPolicy();
  changeFile(third);
  await inForce.settled();
  t.equal(inForce.policy(), next);
  changeFile(next);
  await inForce.settled();
  t.equal(store.state().history.length, 3);
  changeFile(third);
  await change({ inForce: null, rollout: null, entry: null });
  await inForce.settled();
  t.same(told, [
    ['noted', second.hash, first.hash],
    ['differs', third.hash, next.hash],
    ['taken', next.hash, 'promoted'],
    ['differs', third.hash, next.hash],
    ['taken', third.hash, null],
    ['noted', third.hash, next.hash],
  ]);
});

t.test('records no file that others have remembered', async (t) => {
  const { inForce, store, told, changeFile, file } = open();
  await inForce.settled();
  const second = createPolicy();
  await store.note(putOf(second, 'file'), 'of another');
  changeFile(second);
  await inForce.settled();
  t.same(told, []);
  t.equal(store.state().history.length, 2);
  t.equal(file(), second);
});

t.test('remembers a file later that could not be remembered at once', async (t) => {
  const { inForce, store, told, changeFile, file, loseNotes, set } = open();
  const first = file();
  await inForce.settled();
  loseNotes('note');
  const second = createPolicy();
  changeFile(second);
  await inForce.settled();
  t.equal(store.state().history.length, 1);
  set('stale');
  loseNotes(null);
  set('known');
  await inForce.settled();
  t.equal(store.state().history[0]?.hash, second.hash);
  t.same(told, [['noted', second.hash, first.hash]]);
});

t.test('tells of a file that was remembered without a reply, once, as soon as that is seen', async (t) => {
  const { inForce, store, told, changeFile, file, loseNotes, set } = open();
  const first = file();
  await inForce.settled();
  loseNotes('reply');
  const second = createPolicy();
  changeFile(second);
  await inForce.settled();
  t.same(told, [['noted', second.hash, first.hash]]);
  loseNotes('note');
  for (let tries = 0; tries < 20; tries += 1) {
    changeFile(createPolicy());
    await inForce.settled();
  }
  loseNotes(null);
  set('known');
  await inForce.settled();
  t.equal(store.state().history[0]?.hash, file().hash);
  t.same(told.slice(1), [['noted', file().hash, second.hash]], 'no other was ever in force');
});

t.test('takes a policy whose text was lost as soon as it is there again', async (t) => {
  const { inForce, put, compilable, told, loseTexts, set, store } = open();
  const [next, beside] = [createPolicy(), createPolicy()];
  compilable.push(next, beside);
  loseTexts();
  await put(next, { id: beside.id, hash: beside.hash, text: beside.text ?? '', part: null });
  await inForce.settled();
  t.match(inForce.status(), { state: 'refused' });
  const { revision } = store.state();
  loseTexts(false);
  set('known');
  await inForce.settled();
  t.equal(store.state().revision, revision);
  t.equal(inForce.policy(), next);
  t.equal(inForce.rollout()?.policy, beside);
  t.match(inForce.status(), { state: 'put' });
  t.match(told, [
    ['refused', next.hash, ['its text is lost']],
    ['refused', beside.hash, ['its text is lost']],
    ['taken', next.hash, 'promoted'],
  ]);
});
