import t from 'tap';
import type { RecordedEvent } from '../../../src/application/decision-log/record-event.ts';
import type { RecordHashes } from '../../../src/application/decision-log/to-decision-record.ts';
import type { PurgeTarget } from '../../../src/application/evidence/purge-evidence.ts';
import type { ListStore } from '../../../src/application/lists/list-store.ts';
import { createSharedSignalForgetting } from '../../../src/application/shared-signals/forget-signals.ts';
import { createSharedSignalFacts } from '../../../src/application/shared-signals/shared-signal-facts.ts';
import { createTakeSignals } from '../../../src/application/shared-signals/take-signals.ts';
import { RiskgateError } from '../../../src/domain/errors.ts';
import { SHARED_KEPT_MS, type SharedSignal } from '../../../src/domain/shared-signals/shared-events.ts';
import { NOTHING_SHARED } from '../../../src/domain/shared-signals/shared-fact.ts';
import type { Subject } from '../../../src/domain/subject.ts';
import { createMemoryListStore } from '../../../src/stores/lists/memory-store.ts';
import { createListTable } from '../../contracts/list-store.ts';
import { createManualClock } from '../../support/test-app.ts';

/** A hash of 32 digits under a key. */
const hashesUnder = (keyId: string): RecordHashes => {
  const hash = (part: string) => (id: string) =>
    Buffer.from(`${keyId}${part}${id}`.padEnd(16, '.')).toString('hex').slice(0, 32);
  return {
    keyId,
    telemetry: hash('t'),
    device: hash('d'),
    account: hash('a'),
    ip: hash('i'),
    network: hash('n'),
  };
};
const HASHES = [hashesUnder('aa'), hashesUnder('bb')] as const;
const BY = { stream: 'idp', caller: 'key', requestId: 'r' };

function open(
  changed: Partial<ListStore> = {},
  { isPurged = true, isRecorded = true, entriesMax = 100 } = {},
) {
  const clock = createManualClock();
  const memory = createMemoryListStore(createListTable());
  const store: ListStore = { ...memory, ...changed };
  const done: string[] = [];
  const records: RecordedEvent[] = [];
  const take = createTakeSignals({
    store: {
      ...store,
      commitIfLater: (entries) => {
        done.push('kept');
        return store.commitIfLater(entries);
      },
    },
    hashes: HASHES,
    clock,
    purge: async (target: PurgeTarget) => {
      done.push(`purged ${Object.keys(target).join()}`);
      return { providers: [], isComplete: isPurged };
    },
    record: async (event) => {
      done.push('recorded');
      if (!isRecorded) throw new RiskgateError('decision_log_unavailable', 'no disk');
      records.push(event);
    },
    entriesMax,
    formatTime: (ms) => new Date(ms).toISOString(),
  });
  const facts = createSharedSignalFacts({ store, hashes: HASHES });
  const tell = (subject: Partial<Subject>) => {
    const whole: Subject = { telemetryId: null, device: { kind: 'shared', id: null }, ...subject };
    const conclude = facts.ask({ subject: whole, policy: null as never, deadlineAtMs: 0 });
    if (conclude instanceof Promise) throw new Error('it is at hand');
    return conclude({ gathered: [], facts: {}, nowMs: clock.nowMs() }) as { readonly shared: unknown };
  };
  const signal = (changes: Partial<SharedSignal> = {}): SharedSignal => ({
    event: 'session_revoked',
    isEnded: false,
    part: 'account',
    id: 'u',
    atMs: clock.nowMs(),
    ...changes,
  });
  return { clock, store, take, tell, signal, done, records };
}

t.test('purges, records and keeps, in this order, what is told for the first time', async (t) => {
  const { take, tell, signal, done, records, clock } = open();
  const nothing = { account: NOTHING_SHARED, device: NOTHING_SHARED };
  t.strictSame(tell({ accountId: 'u' }), { shared: nothing });
  t.equal(await take([signal(), signal({ event: 'risk_level_high' })], BY), true);
  t.same(done, ['purged account_id', 'recorded', 'recorded', 'kept']);
  t.match(records[0], { event: 'shared_signal', caller: 'key', stream: 'idp', state: 'begun' });
  clock.advance(5_500);
  const account = { ...NOTHING_SHARED, session_revoked_seconds: 5, risk_level_high_seconds: 5 };
  t.strictSame(tell({ accountId: 'u' }), { shared: { account, device: NOTHING_SHARED } });
  t.strictSame(tell({ accountId: 'other' }), { shared: nothing });
  t.strictSame(tell({}), { shared: nothing });
  t.equal(await take([signal({ atMs: clock.nowMs() - 5_500 })], BY), false, 'the same again');
  t.equal(done.length, 4);
});

t.test('the latest of several devices counts, under every hash key', async (t) => {
  const { take, tell, signal, clock } = open();
  await take([signal({ part: 'device', id: 'd1', atMs: clock.nowMs() - 9_000 })], { ...BY, caller: null });
  await take([signal({ part: 'device', id: 'd2', atMs: clock.nowMs() - 4_000 })], BY);
  const ids = new Map([
    ['prefactor', 'd1'],
    ['mobilerun', 'd2'],
    ['other', null],
  ]);
  t.match(tell({ device: { kind: 'named', ids } }), { shared: { device: { session_revoked_seconds: 4 } } });
});

t.test('what ends purges nothing, takes no room, and outlasts an older token', async (t) => {
  const { take, tell, signal, done, clock } = open({}, { entriesMax: 1 });
  await take([signal({ event: 'account_disabled', atMs: clock.nowMs() - 50 })], BY);
  done.length = 0;
  t.equal(await take([signal({ event: 'account_disabled', isEnded: true })], BY), true);
  t.same(done, ['recorded', 'kept']);
  t.equal(await take([signal({ event: 'account_disabled', atMs: clock.nowMs() - 20 })], BY), false);
  t.match(tell({ accountId: 'u' }), { shared: { account: NOTHING_SHARED } });
});

t.test('an older end does not end what another replica is told meanwhile', async (t) => {
  const { take, tell, signal, store, clock } = open();
  const atMs = clock.nowMs();
  const older = take([signal({ event: 'account_disabled', isEnded: true, atMs: atMs - 1_000 })], BY);
  // It is recorded now, and has seen nothing later.
  await store.commitIfLater([
    {
      list: 'account_disabled',
      part: 'account',
      value: HASHES[0].account('u'),
      keyId: HASHES[0].keyId,
      others: null,
      addedAtMs: atMs,
      addedBy: 'idp',
      expiresAtMs: atMs + SHARED_KEPT_MS,
      note: null,
      isRemoved: false,
    },
  ]);
  t.equal(await older, false);
  t.match(tell({ accountId: 'u' }), { shared: { account: { account_disabled_seconds: 0 } } });
});

t.test('of a beginning and an end of one second the beginning counts', async (t) => {
  for (const order of [
    [true, false],
    [false, true],
  ]) {
    const { take, tell, signal, clock } = open();
    for (const isEnded of order) await take([signal({ event: 'account_disabled', isEnded })], BY);
    t.match(tell({ accountId: 'u' }), { shared: { account: { account_disabled_seconds: 0 } } });
    t.equal(await take([signal({ event: 'account_disabled' })], BY), false, 'the same again');
    clock.advance(1_000);
    t.equal(await take([signal({ event: 'account_disabled', isEnded: true })], BY), true);
    t.match(tell({ accountId: 'u' }), { shared: { account: NOTHING_SHARED } }, 'a later end ends it');
  }
});

t.test('what is older than is kept is not taken, and what is kept is forgotten then', async (t) => {
  const { take, tell, signal, clock } = open();
  t.equal(await take([signal({ atMs: clock.nowMs() - SHARED_KEPT_MS })], BY), false);
  await take([signal()], BY);
  clock.advance(SHARED_KEPT_MS);
  t.match(tell({ accountId: 'u' }), { shared: { account: NOTHING_SHARED } });
});

t.test('what cannot be purged, recorded or kept was not told', async (t) => {
  const codeOf = async (work: Promise<boolean>) => {
    try {
      return await work;
    } catch (error) {
      return error instanceof RiskgateError ? error.code : error;
    }
  };
  const unpurged = open({}, { isPurged: false });
  t.equal(await codeOf(unpurged.take([unpurged.signal({ part: 'device' })], BY)), 'store_unavailable');
  t.same(unpurged.done, ['purged device_id']);
  const unrecorded = open({}, { isRecorded: false });
  t.equal(await codeOf(unrecorded.take([unrecorded.signal()], BY)), 'decision_log_unavailable');
  t.notOk(unrecorded.done.includes('kept'));
  const unkept = open({ commitIfLater: async () => null });
  t.equal(await codeOf(unkept.take([unkept.signal()], BY)), 'store_unavailable');
  const full = open({}, { entriesMax: 0 });
  t.equal(await codeOf(full.take([full.signal()], BY)), 'conflict');
  t.same(full.done, []);
});

t.test('all is unknown while what others were told cannot be heard', async (t) => {
  const { tell } = open({ isTrusted: () => false });
  t.strictSame(tell({ accountId: 'u' }), { shared: 'unknown' });
});

t.test('forgets what was told of a subject, under every hash key', async (t) => {
  const { take, tell, signal, store, clock } = open();
  await take([signal(), signal({ event: 'credential_change' })], BY);
  const memory = createSharedSignalForgetting(store, clock);
  const by = { caller: 'admin', requestId: null };
  const targets = (id: string) => [
    { part: 'account' as const, id, hashes: HASHES.map((under) => under.account(id)) },
    { part: 'telemetry' as const, id, hashes: HASHES.map((under) => under.telemetry(id)) },
  ];
  t.strictSame(await memory.forget(targets('other'), by), { removed: 0, isComplete: true });
  clock.advance(1);
  t.strictSame(await memory.forget(targets('u'), by), { removed: 2, isComplete: true });
  t.match(tell({ accountId: 'u' }), { shared: { account: NOTHING_SHARED } });
  t.strictSame(await memory.forget(targets('u'), by), { removed: 0, isComplete: true });
  clock.advance(1);
  await take([signal()], BY);
  const failing = createSharedSignalForgetting({ table: store.table, commit: async () => null }, clock);
  t.strictSame(await failing.forget(targets('u'), by), { removed: null, isComplete: false });
});
