import t from 'tap';
import { actNotice, undoLatest } from '../../../src/dashboard/page/act/acts.ts';
import { addToList, removeFromList } from '../../../src/dashboard/page/act/list-acts.ts';
import type { ApiClient } from '../../../src/dashboard/page/api-client.ts';
import type { ListEntry } from '../../../src/dashboard/page/wire-acts.ts';

const HASH = '6f1ed002ab5595859014ebf0951522d9';
const GIVEN = {
  subject: { part: 'device', hash: HASH },
  hashKey: null,
  expiresAtMs: null,
  note: null,
} as const;

const entryOf = (by: string, addedAt: string): ListEntry => ({
  id: `device-${HASH}`,
  part: 'device',
  value: HASH,
  hash_key: '9d0c41aa',
  added_at: addedAt,
  added_by: by,
  expires_at: null,
  note: null,
});

/** A list that holds this entry or none. */
function open(first: ListEntry | null) {
  const list = { entry: first };
  const get = async (path: string, _query: object, options: { readonly method?: string } = {}) => {
    if (options.method !== 'PUT') {
      const lists = list.entry === null ? [] : [{ list: 'block', entry: list.entry }];
      return { part: 'device', hash: HASH, lists, path };
    }
    const former = list.entry;
    list.entry = entryOf('ana', '2026-01-15T12:00:00.000Z');
    return { entry: list.entry, former, replaced: former !== null };
  };
  const remove = async () => {
    list.entry = null;
    return new Response();
  };
  return { list, client: { get, open: remove } as unknown as ApiClient };
}

const BENS = entryOf('ben', '2026-01-15T12:00:05.000Z');
const CHANGED = { isFailure: true, text: 'Not done: somebody has changed the entry since' };

t.test('undoes what was put on a list', async (t) => {
  const { list, client } = open(null);
  await addToList(client, 'block', GIVEN);
  t.equal(list.entry?.added_by, 'ana');
  await undoLatest();
  t.equal(list.entry, null);
});

t.test('leaves an entry on its list that a colleague has put there since', async (t) => {
  const { list, client } = open(null);
  await addToList(client, 'block', GIVEN);
  list.entry = BENS;
  await undoLatest();
  t.equal(list.entry, BENS);
  t.match(actNotice.value, CHANGED);
});

t.test('replaces no entry of a colleague by one that was removed', async (t) => {
  const { list, client } = open(entryOf('ana', '2026-01-15T11:00:00.000Z'));
  await removeFromList(client, 'block', entryOf('ana', '2026-01-15T11:00:00.000Z'));
  list.entry = BENS;
  await undoLatest();
  t.equal(list.entry, BENS);
  t.match(actNotice.value, CHANGED);
  list.entry = null;
  await removeFromList(client, 'block', BENS);
  await undoLatest();
  t.not(list.entry, null, 'and puts back what nobody has');
});
