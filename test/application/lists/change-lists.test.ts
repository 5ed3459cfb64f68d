import t from 'tap';
import type { RecordedEvent } from '../../../src/application/decision-log/record-event.ts';
import { createChangeLists, type GivenEntry } from '../../../src/application/lists/change-lists.ts';
import type { ListHashes } from '../../../src/application/lists/list-values.ts';
import { entryIdOf, type ListEntry } from '../../../src/domain/lists/list-entry.ts';
import { ListTable } from '../../../src/domain/lists/list-table.ts';
import { toRfc3339 } from '../../../src/platform/rfc3339.ts';
import { createMemoryListStore } from '../../../src/stores/lists/memory-store.ts';
import { createListEntry, hashOf } from '../../support/list-entries.ts';
import { createManualClock } from '../../support/test-app.ts';

const under = (keyId: string, key: number): ListHashes => {
  const hash = (id: string) => hashOf(key * 1_000 + Number(id.slice(1)));
  return { keyId, device: hash, account: hash, telemetry: hash, ip: hash, network: hash, visitor: hash };
};
const WHO = { caller: 'analyst', requestId: 'r1' };

function open(
  options: { keys?: readonly [ListHashes, ...ListHashes[]]; isKept?: boolean; isRecorded?: boolean } = {},
) {
  const { keys = [under('aaaa1111', 1)], isKept = true, isRecorded = true } = options;
  const store = createMemoryListStore(new ListTable(new Set(keys.map(({ keyId }) => keyId))));
  const events: RecordedEvent[] = [];
  const clock = createManualClock();
  const change = createChangeLists({
    store: isKept ? store : { ...store, commit: async () => null },
    lists: () => ['blocked', 'watched'],
    hashes: keys,
    clock,
    formatTime: toRfc3339,
    record: isRecorded ? async (event) => void events.push(event) : null,
    onChange: () => {},
    entriesMax: 500,
  });
  const given = (id: string, more: Partial<GivenEntry> = {}): GivenEntry => ({
    value: { part: 'device', text: id, keyId: null },
    expiresAtMs: null,
    note: null,
    ...more,
  });
  const read = (id: string, list = 'blocked'): ListEntry => {
    const entry = change.read(list, given(id), 'analyst');
    if ('mistakes' in entry) throw new Error('a mistake');
    return entry;
  };
  return { change, store, events, clock, given, read };
}

t.test('puts and removes entries, and records both', async (t) => {
  const { change, store, events, read } = open();
  const { entries, replaced, former } = await change.put('blocked', [read('d1')], WHO);
  t.same([replaced, former], [0, [null]]);
  const again = await change.put('blocked', [read('d1')], WHO);
  t.equal(again.replaced, 1);
  t.strictSame(again.former, entries);
  const [entry = createListEntry()] = entries;
  t.equal(await change.remove('blocked', entryIdOf(entry), WHO), true);
  t.equal(await change.remove('blocked', entryIdOf(entry), WHO), false);
  t.equal(store.table.size, 0);
  t.match(events, [
    {
      event: 'list_changed',
      change: 'put',
      caller: 'analyst',
      request_id: 'r1',
      entries: [{ part: 'device' }],
    },
    { change: 'put' },
    { change: 'removed', entries: [{ id: entryIdOf(entry) }] },
  ]);
});

t.test('records when an entry ends', async (t) => {
  const { change, events, clock, given } = open();
  const entry = change.read('blocked', given('d1', { expiresAtMs: clock.nowMs() + 1_000 }), 'x');
  if ('mistakes' in entry) throw new Error('a mistake');
  await change.put('blocked', [entry], WHO);
  t.match(events, [{ entries: [{ expires_at: toRfc3339(clock.nowMs() + 1_000) }] }]);
});

t.test('has a value on a list once, whichever hash key was in force', async (t) => {
  const [old, young] = [under('aaaa1111', 1), under('bbbb2222', 2)];
  const { change, store, read } = open({ keys: [young, old] });
  await store.commit([createListEntry({ value: old.device('d1') })]);
  const { entries, replaced } = await change.put('blocked', [read('d1')], WHO);
  t.equal(replaced, 1);
  t.equal(store.table.size, 1);
  t.match(entries, [{ value: young.device('d1'), others: { aaaa1111: old.device('d1') } }]);
  t.match(store.table.get('blocked', 'device', old.device('d1')), { isRemoved: true });
});

t.test('names every mistake of an entry', async (t) => {
  const { change, clock, given } = open();
  const past = { expiresAtMs: clock.nowMs(), note: `${'long '.repeat(50)}d7` };
  t.match(change.read('blocked', given('d7', past), 'x'), {
    mistakes: [
      { pointer: 'expires_at' },
      { pointer: 'note', detail: /at most 200/ },
      { pointer: 'note', detail: /identifier/ },
    ],
  });
  t.match(change.read('blocked', given('d1', { expiresAtMs: Number.NaN }), 'x'), {
    mistakes: [{ pointer: 'expires_at' }],
  });
  const wrong = { value: { part: 'device', text: '#x', keyId: null }, note: 'd1' } as const;
  t.match(change.read('blocked', given('d1', wrong), 'x'), { mistakes: [{ pointer: 'value' }] });
  const ofKey = { value: { part: 'device', text: 'd1', keyId: 'k' } } as const;
  t.match(change.read('blocked', given('d1', ofKey), 'x'), { mistakes: [{ pointer: 'hash_key' }] });
});

t.test('knows no entry by what is no id of one', async (t) => {
  const { change, read } = open();
  await change.put('blocked', [read('d1')], WHO);
  for (const id of [
    '',
    'device',
    'device-zz',
    'telemetry-1',
    'network-1-2-3-4-24',
    'network-2001-db8---32',
    'DEVICE-1',
  ])
    t.equal(await change.remove('blocked', id, WHO), false, id);
});

t.test('removes networks by their ids', async (t) => {
  const { change, store } = open();
  for (const text of ['203.0.113.0/24', '2001:db8::/32']) {
    const entry = change.read(
      'blocked',
      { value: { part: 'ip', text, keyId: null }, expiresAtMs: null, note: null },
      'x',
    );
    if ('mistakes' in entry) throw new Error('a mistake');
    await change.put('blocked', [entry], WHO);
    t.equal(await change.remove('blocked', entryIdOf(entry), WHO), true, text);
  }
  t.equal(store.table.size, 0);
});

t.test('refuses lists that the policy does not name, and more than there may be', async (t) => {
  const { change, read } = open();
  t.doesNotThrow(() => change.requireList('blocked'));
  t.throws(() => change.requireList('blockd'), { code: 'not_found', publicDetail: /Did you mean "blocked"/ });
  t.throws(() => change.requireList('other'), { code: 'not_found', publicDetail: /names blocked, watched/ });
  const many = Array.from({ length: 501 }, (_, serial) => read(`d${serial}`));
  await t.rejects(change.put('blocked', many, WHO), { code: 'conflict' });
});

t.test('records many entries a piece at a time', async (t) => {
  const { change, events, read } = open();
  await change.put(
    'blocked',
    Array.from({ length: 450 }, (_, serial) => read(`d${serial}`)),
    WHO,
  );
  t.same(
    events.map((event) => ('entries' in event ? event.entries.length : 0)),
    [200, 200, 50],
  );
  const silent = open({ isRecorded: false });
  await silent.change.put('blocked', [silent.read('d1')], WHO);
  t.same(silent.events, []);
});

t.test('has room for what is there already, however full the lists are', async (t) => {
  const { change, store, read } = open();
  const full = Array.from({ length: 500 }, (_, serial) => read(`d${serial}`));
  await change.put('blocked', full, WHO);
  t.equal((await change.put('blocked', full, WHO)).replaced, 500);
  t.equal(store.table.size, 500);
  await t.rejects(change.put('blocked', [read('d501')], WHO), { code: 'conflict' });
  t.equal(await change.remove('blocked', entryIdOf(read('d1')), WHO), true);
  await t.resolves(change.put('blocked', [read('d501')], WHO));
});

t.test('takes nothing off a list before what replaces it is on it', async (t) => {
  const [older, newer] = [under('aaaa1111', 1), under('bbbb2222', 2)];
  const { change, store, clock, read } = open({ keys: [newer, older] });
  const under1 = older.device('d1');
  store.table.put(createListEntry({ value: under1, addedAtMs: clock.nowMs() + 5_000 }));
  const committed: ListEntry[] = [];
  const { commit } = store;
  Object.assign(store, {
    commit: (entries: readonly ListEntry[]) => {
      committed.push(...entries);
      return commit(entries);
    },
  });
  t.match(await change.put('blocked', [read('d1')], WHO), { replaced: 1, entries: [{ keyId: 'bbbb2222' }] });
  t.match(committed, [
    { keyId: 'bbbb2222', isRemoved: false, addedAtMs: clock.nowMs() + 5_001 },
    { value: under1, isRemoved: true },
  ]);
  t.equal(store.table.size, 1);
});

t.test('says so when a change may not be kept', async (t) => {
  const { change, events, read } = open({ isKept: false });
  await t.rejects(change.put('blocked', [read('d1')], WHO), { code: 'store_unavailable' });
  t.same(events, []);
});

t.test('forgets the entries that name a subject, on every list', async (t) => {
  const { change, store, read, events } = open();
  for (const list of ['blocked', 'watched'])
    await change.put(list, [read('d1', list), read('d2', list)], WHO);
  const target = (id: string) => ({ part: 'device', id, hashes: [under('aaaa1111', 1).device(id)] }) as const;
  events.length = 0;
  t.same(await change.memory.forget([target('d1'), target('d3')], WHO), { removed: 2, isComplete: true });
  t.match(events, [
    { event: 'list_changed', change: 'removed', list: 'blocked', entries: [{ note: null }] },
    { event: 'list_changed', change: 'removed', list: 'watched', entries: [{ note: null }] },
  ]);
  t.equal(events.length, 2);
  t.same(await change.memory.forget([target('d1')], WHO), { removed: 0, isComplete: true });
  t.equal(store.table.size, 2);
  const broken = open({ isKept: false });
  broken.store.table.put(createListEntry({ value: under('aaaa1111', 1).device('d1') }));
  t.same(await broken.change.memory.forget([target('d1')], WHO), { removed: null, isComplete: false });
});

t.test('names no list where the policy names none', async (t) => {
  const { store, clock } = open();
  const change = createChangeLists({
    store,
    clock,
    hashes: [under('aaaa1111', 1)],
    formatTime: toRfc3339,
    record: null,
    lists: () => [],
    onChange: () => {},
    entriesMax: 1,
  });
  t.throws(() => change.requireList('other'), { code: 'not_found', publicDetail: /names none/ });
});
