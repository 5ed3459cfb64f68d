import t from 'tap';
import { LazyLru, type Promotable } from '../../src/platform/lazy-lru.ts';
import { createSeededRandom } from '../../src/platform/seeded-random.ts';

interface Entry extends Promotable {
  readonly key: string;
}

function open(entriesMax: number) {
  const evicted: string[] = [];
  const cache = new LazyLru<Entry>({ entriesMax, onEvicted: (_, key) => evicted.push(key) });
  const add = (key: string) => {
    const entry: Entry = { key, promotedAt: 0 };
    cache.set(key, entry);
    return entry;
  };
  return { cache, evicted, add };
}

t.test('few entries go in the exact order of their use', async (t) => {
  for (const entriesMax of [1, 2, 3, 7]) {
    const { cache, evicted, add } = open(entriesMax);
    for (let number = 0; number < entriesMax; number += 1) add(`k${number}`);
    t.equal(cache.get('k0')?.key, 'k0');
    cache.peek('k1');
    // The last use counts, not the first.
    for (const number of [2, 3, 2]) cache.get(`k${number}`);
    for (let number = 0; number < entriesMax - 1; number += 1) add(`n${number}`);
    const order = ['k1', 'k4', 'k5', 'k6', 'k0', 'k3', 'k2'].filter((key) => Number(key[1]) < entriesMax);
    t.same(evicted, order.slice(0, -1), `of ${entriesMax}`);
  }
});

t.test('a use moves an entry only once a quarter of the cache was added', async (t) => {
  const { cache, evicted, add } = open(12);
  for (let number = 0; number < 12; number += 1) add(`k${number}`);
  const moved = cache.get('k9');
  t.equal(moved?.promotedAt, 12, 'two were added since');
  t.equal(cache.get('k11')?.promotedAt, 12, 'it was added last');
  t.equal(cache.get('k9'), moved);
  add('k12');
  t.equal(cache.get('k9')?.promotedAt, 12, 'one was added since');
  add('k13');
  t.equal(cache.get('k9')?.promotedAt, 14);
  t.same(evicted, ['k0', 'k1']);
});

t.test('what stays was used later, or less than a quarter of the cache before', async (t) => {
  const random = createSeededRandom(20_261_130);
  for (const entriesMax of [3, 9, 32, 100]) {
    /** After how many additions each was used last. */
    const usedAt = new Map<string, number>();
    const { cache, evicted, add } = open(entriesMax);
    let added = 0;
    let latest = 0;
    for (let turn = 0; turn < 5_000; turn += 1) {
      // Most uses are of a few.
      const key = [...usedAt.keys()][Math.floor(random() ** 3 * usedAt.size)];
      if (key !== undefined && random() < 0.7) {
        t.ok(cache.get(key) !== undefined);
        usedAt.set(key, added);
      } else {
        added += 1;
        add(`k${added}`);
        usedAt.set(`k${added}`, added);
      }
      for (const gone of evicted.splice(0)) {
        const at = usedAt.get(gone) ?? Number.POSITIVE_INFINITY;
        usedAt.delete(gone);
        latest = Math.max(latest, at - Math.min(...usedAt.values()));
      }
      if (usedAt.size > entriesMax) t.fail('too many');
    }
    t.ok(latest < Math.max(1, entriesMax / 4), `${latest} additions too early, of ${entriesMax}`);
    t.equal(usedAt.size, entriesMax);
  }
});

t.test('what is replaced, deleted or cleared was not evicted', async (t) => {
  const { cache, evicted, add } = open(2);
  add('k0');
  const other = add('k0');
  t.equal(cache.peek('k0'), other);
  t.equal(cache.delete('k0'), true);
  t.equal(cache.delete('k0'), false);
  t.equal(cache.get('k0'), undefined);
  add('k1');
  cache.clear();
  t.equal(cache.peek('k1'), undefined);
  t.same(evicted, []);
  const silent = new LazyLru<Entry>({ entriesMax: 1 });
  silent.set('k0', { key: 'k0', promotedAt: 0 });
  silent.set('k1', { key: 'k1', promotedAt: 0 });
  t.equal(silent.get('k0'), undefined);
});
