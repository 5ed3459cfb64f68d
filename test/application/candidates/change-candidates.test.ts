import t from 'tap';
import type { CandidateStore, PutResult } from '../../../src/application/candidates/candidate-store.ts';
import {
  createChangeCandidates,
  viewCandidates,
} from '../../../src/application/candidates/change-candidates.ts';
import type { RecordedEvent } from '../../../src/application/decision-log/record-event.ts';
import type { CasesRun } from '../../../src/domain/promotion/check-promotion.ts';
import { failure, success } from '../../../src/domain/result.ts';
import { createMemoryCandidateStore } from '../../../src/stores/candidates/memory-store.ts';
import { policyOf } from './open-candidates.ts';

const CHANGER = { caller: 'admin', requestId: 'request-1' };
const LIVE = policyOf([['!a.found', 'BLOCK']]);
const NEXT = policyOf([['a.found', 'BLOCK']]);

const runCases = async (text: string, tests: string | null): Promise<CasesRun> => {
  if (tests === null) return { kind: 'none' };
  return { kind: 'run', passed: 1, failed: tests === 'failing' ? [`a case of ${text}`] : [] };
};

function open(store: CandidateStore = createMemoryCandidateStore()) {
  const events: RecordedEvent[] = [];
  const change = createChangeCandidates({
    store,
    inForce: () => LIVE,
    compile: async (text) =>
      text === 'bad' ? failure(['1:1: bad', '2:1: too']) : success(text === 'live' ? LIVE : NEXT),
    runCases,
    clock: { nowMs: () => 5_000, monotonicMs: () => 0 },
    record: async (event) => void events.push(event),
  });
  return { change, events, store };
}

t.test('keeps a candidate with who registered it and when, and records it', async (t) => {
  const { change, events, store } = open();
  t.equal((await change.put('test', { text: 'next', tests: null }, CHANGER)).policy, NEXT);
  const stored = {
    id: 'test',
    hash: NEXT.hash,
    text: 'next',
    tests: null,
    addedBy: 'admin',
    addedAtMs: 5_000,
  };
  t.strictSame(store.candidates(), [stored]);
  await change.put('test', { text: 'next', tests: null }, CHANGER);
  t.strictSame(await change.remove('test', CHANGER), stored);
  t.equal(await change.remove('test', CHANGER), null);
  const { hash } = NEXT;
  const told = {
    event: 'candidate_changed',
    caller: 'admin',
    request_id: 'request-1',
    policy: { id: 'test', hash },
  };
  t.strictSame(events, [
    { ...told, change: 'put', replaced: null },
    { ...told, change: 'put', replaced: hash },
    { ...told, change: 'removed', replaced: null },
  ]);
});

t.test(
  'warns of cases that fail, or are missing where some are asked for, and keeps the candidate',
  async (t) => {
    const { change, store, events } = open();
    const warningsOf = async (tests: string | null) =>
      (await change.put('test', { text: 'next', tests }, CHANGER)).warnings;
    t.same(await warningsOf('passing'), []);
    t.match(await warningsOf('failing'), [{ id: 'tests', detail: '1 fail: a case of next' }]);
    t.match(await warningsOf(null), [{ id: 'tests', detail: /there are no cases/ }]);
    t.equal(store.candidates().length, 1);
    t.equal(events.length, 3);
  },
);

t.test('refuses a text with every mistake, another id, and the policy in force', async (t) => {
  const { change, events } = open();
  await t.rejects(change.put('test', { text: 'bad', tests: null }, CHANGER), {
    code: 'invalid_request',
    fields: [
      { pointer: '/policy', detail: '1:1: bad' },
      { pointer: '/policy', detail: '2:1: too' },
    ],
  });
  await t.rejects(change.put('other', { text: 'next', tests: null }, CHANGER), { code: 'invalid_request' });
  await t.rejects(change.put('test', { text: 'live', tests: null }, CHANGER), { code: 'conflict' });
  t.same(events, []);
});

t.test('says what a store could not do, and records nothing of it', async (t) => {
  const failing = (put: PutResult): CandidateStore => ({
    ...createMemoryCandidateStore(),
    put: async () => put,
    remove: async () => 'unknown',
  });
  const full = open(failing('full'));
  await t.rejects(full.change.put('test', { text: 'next', tests: null }, CHANGER), { code: 'conflict' });
  const unknown = open(failing('unknown'));
  await t.rejects(unknown.change.put('test', { text: 'next', tests: null }, CHANGER), {
    code: 'store_unavailable',
  });
  await t.rejects(unknown.change.remove('test', CHANGER), { code: 'store_unavailable' });
  t.same([...full.events, ...unknown.events], []);
});

t.test('works without a log', async (t) => {
  const store = createMemoryCandidateStore();
  const change = createChangeCandidates({
    store,
    inForce: () => LIVE,
    compile: async () => success(NEXT),
    runCases,
    clock: { nowMs: () => 0, monotonicMs: () => 0 },
    record: null,
  });
  await change.put('test', { text: 'next', tests: null }, CHANGER);
  t.match(await change.remove('test', CHANGER), { hash: NEXT.hash });
});

t.test('shows each candidate once, and not the policy in force', async (t) => {
  const stored = { id: 'test', hash: NEXT.hash, text: 'next', tests: null, addedBy: 'admin', addedAtMs: 0 };
  const reading = policyOf([['telemetry.uses > 1', 'BLOCK']]);
  t.match(viewCandidates(LIVE, [LIVE, NEXT, { ...NEXT }, reading], [stored]), [
    { policy: NEXT, stored, unfetched: [] },
    { policy: reading, stored: null, unfetched: ['telemetry.expired', 'telemetry.uses'] },
  ]);
});
