import { readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type ListFileEvent, openFileListStore } from '../../../src/stores/lists/file-store.ts';
import { contentsOf, createListTable } from '../../contracts/list-store.ts';
import { createListEntry, hashOf } from '../../support/list-entries.ts';
import { createDirectory } from '../../support/test-app.ts';

async function open(t: Test, path: string) {
  const events: ListFileEvent[] = [];
  const store = await openFileListStore({
    path,
    table: createListTable(),
    onEvent: (event) => events.push(event),
  });
  t.teardown(() => store.close());
  return { store, events };
}

async function createFile(t: Test): Promise<string> {
  const path = join(createDirectory(t), 'lists.journal');
  const { store } = await open(t, path);
  for (const serial of [1, 2, 3]) await store.commit([createListEntry({ value: hashOf(serial) })]);
  await store.close();
  return path;
}

t.test('writes one line for a change, and none of it is readable by others', async (t) => {
  const path = await createFile(t);
  const lines = readFileSync(path, 'utf8').split('\n');
  t.equal(lines.length, 5);
  t.equal(lines[0], 'riskgate lists 1');
  t.match(lines[1], /^[0-9a-f]{8} \["1000 \{/);
  t.equal(statSync(path).mode & 0o007, 0);
});

t.test(
  'cuts off a line that was not written to its end, since nobody was told that it is kept',
  async (t) => {
    const path = await createFile(t);
    const text = readFileSync(path);
    writeFileSync(path, text.subarray(0, -10));
    const { store, events } = await open(t, path);
    t.match(events, [{ kind: 'repaired', cut_bytes: Number }]);
    t.equal(store.table.size, 2);
    await store.commit([createListEntry({ value: hashOf(9) })]);
    await store.close();
    t.equal((await open(t, path)).store.table.size, 3, 'what follows is whole');
  },
);

t.test('refuses a file that is foreign or damaged, and leaves it as it is', async (t) => {
  const whole = readFileSync(await createFile(t), 'utf8');
  const lines = whole.split('\n');
  const broken: Readonly<Record<string, readonly [text: string, why: RegExp]>> = {
    empty: ['', /no file of lists/],
    'of something else': ['{"a": 1}\n', /no file of lists, or one of another version/],
    'of another version': [whole.replace('lists 1', 'lists 2'), /another version/],
    'damaged in the middle': [whole.replace(hashOf(2), hashOf(4)), /line 3 is damaged/],
    'cut in the middle': [[lines[0], lines[1], lines[2]?.slice(0, 20), lines[3], ''].join('\n'), /line 3 is/],
    'with an entry that is none': [`${lines[0]}\n5b2e7b1b ["nonsense"]\n`, /line 2 is damaged/],
  };
  for (const [what, [text, why]] of Object.entries(broken)) {
    const path = join(createDirectory(t), 'lists.journal');
    writeFileSync(path, text);
    await t.rejects(open(t, path), { message: why }, what);
    t.equal(readFileSync(path, 'utf8'), text, 'left as it is');
  }
});

t.test('refuses a file that another process has, and one whose folder is missing', async (t) => {
  const path = await createFile(t);
  const { store } = await open(t, path);
  await t.rejects(open(t, path), { message: /another process has it/ });
  await store.close();
  await t.resolves(open(t, path));
  await t.rejects(open(t, join(path, 'nowhere')), { message: /LISTS_FILE .* folder cannot be written/ });
});

t.test('says when it cannot write, keeps nothing then, and goes on once it can', async (t) => {
  const path = await createFile(t);
  const { store, events } = await open(t, path);
  const folder = join(path, '..');
  renameSync(folder, `${folder}-away`);
  const many = Array.from({ length: 2_000 }, (_, serial) =>
    createListEntry({ value: hashOf(serial), addedAtMs: 5_000 }),
  );
  for (let round = 0; round < 3; round += 1) await store.commit(many);
  t.equal(await store.commit([createListEntry({ value: hashOf(9_060) })]), null, 'it is to be written anew');
  t.equal(await store.commit([createListEntry({ value: hashOf(9_060) })]), null);
  t.same(events, [{ kind: 'failed', code: 'ENOENT' }], 'told once');
  t.equal(store.table.get('blocked', 'device', hashOf(9_060)), null, 'what is not kept does not count');
  renameSync(`${folder}-away`, folder);
  t.ok(await store.commit([createListEntry({ value: hashOf(9_061) })]));
  t.match(events, [{ kind: 'failed' }, { kind: 'recovered' }]);
  const before = contentsOf(store);
  await store.close();
  t.strictSame(contentsOf((await open(t, path)).store), before);
});

t.test('is written anew once most of it is replaced', async (t) => {
  const path = await createFile(t);
  const { store } = await open(t, path);
  const entries = Array.from({ length: 200 }, (_, serial) => createListEntry({ value: hashOf(serial) }));
  for (let round = 0; round < 12; round += 1) await store.commit(entries);
  const lines = readFileSync(path, 'utf8').split('\n').length;
  t.ok(lines < 10, `${lines} lines`);
  t.equal(store.table.size, 200);
});

t.test('leaves removed entries out when it is written anew, and is not so at each change', async (t) => {
  const path = await createFile(t);
  const { store } = await open(t, path);
  const entries = Array.from({ length: 2_000 }, (_, serial) => createListEntry({ value: hashOf(serial) }));
  await store.commit(entries);
  await store.commit(entries.map((entry) => ({ ...entry, isRemoved: true })));
  await store.commit([createListEntry({ value: hashOf(9_001) })]);
  t.notMatch(readFileSync(path, 'utf8'), /removed/);
  const { ino } = statSync(path);
  for (let serial = 0; serial < 10; serial += 1)
    await store.commit([createListEntry({ value: hashOf(9_002 + serial) })]);
  t.equal(statSync(path).ino, ino, 'it is the same file');
  await store.close();
  t.equal((await open(t, path)).store.table.size, 11);
});
