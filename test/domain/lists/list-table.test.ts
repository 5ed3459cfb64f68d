import fc from 'fast-check';
import t from 'tap';
import { canonicalAddress, createNetworkTest, parseNetwork } from '../../../src/domain/ip-address.ts';
import { entryIdOf, isInForce, type ListEntry } from '../../../src/domain/lists/list-entry.ts';
import { ListTable } from '../../../src/domain/lists/list-table.ts';
import { addressWords, valueWords } from '../../../src/domain/lists/value-words.ts';
import { createListEntry, hashOf } from '../../support/list-entries.ts';

const KEYS = new Set(['aaaa1111']);

function open(...entries: ListEntry[]): ListTable {
  const table = new ListTable(KEYS);
  for (const entry of entries) table.put(entry);
  return table;
}

function find(table: ListTable, part: ListEntry['part'], value: string, nowMs = 2_000): string[] {
  const words = valueWords(part, value);
  return words === null
    ? []
    : table.find(part, words, nowMs).map(({ list, entryId }) => `${list} ${entryId}`);
}

function findAddress(table: ListTable, address: string): string[] {
  const words = addressWords(address);
  return words === null ? [] : table.findNetworks(words, 2_000).map(({ entryId }) => entryId);
}

t.test('finds a value on every list that has it, as its own part alone', async (t) => {
  const table = open(createListEntry(), createListEntry({ list: 'watched' }));
  const id = entryIdOf(createListEntry());
  t.same(find(table, 'device', hashOf(1)).toSorted(), [`blocked ${id}`, `watched ${id}`]);
  t.same(find(table, 'account', hashOf(1)), []);
  t.same(find(table, 'device', hashOf(2)), []);
  t.same(table.lists(), ['blocked', 'watched']);
  t.equal(table.size, 2);
  t.equal(table.count('blocked'), 1);
  t.equal(table.count('blocked', 'device'), 1);
  t.equal(table.count('blocked', 'ip'), 0);
});

t.test('takes the later of two entries about one value, in whatever order they come', async (t) => {
  const early = createListEntry({ note: 'early' });
  const late = createListEntry({ note: 'late', addedAtMs: 2_000, expiresAtMs: 5_000 });
  const removed = createListEntry({ addedAtMs: 3_000, isRemoved: true });
  const table = open(late);
  t.equal(table.put(early), false);
  t.equal(table.put(late), false, 'the same again changes nothing');
  t.strictSame(table.get('blocked', 'device', hashOf(1)), late);
  t.equal(table.put(removed), true);
  t.same(find(table, 'device', hashOf(1)), []);
  t.equal(table.put(late), false, 'what was removed does not come back');
  t.equal(table.size, 0);
  t.match(table.get('blocked', 'device', hashOf(1)), { isRemoved: true });
});

t.test('no longer finds what has expired, and sweeps it away', async (t) => {
  const table = open(createListEntry({ expiresAtMs: 5_000 }), createListEntry({ value: hashOf(2) }));
  t.equal(find(table, 'device', hashOf(1), 4_999).length, 1);
  t.equal(find(table, 'device', hashOf(1), 5_000).length, 0);
  t.same(table.sweep(0, 4_999).entries, []);
  t.match(table.sweep(0, 5_000), { entries: [{ value: hashOf(1) }], next: null });
  t.equal(table.get('blocked', 'device', hashOf(1)), null);
  t.equal(table.size, 1);
  t.equal(find(table, 'device', hashOf(2)).length, 1, 'the others stay');
  table.put(createListEntry({ value: hashOf(3) }));
  t.equal(find(table, 'device', hashOf(3)).length, 1, 'the row is used again');
});

t.test('remembers for a month what was removed', async (t) => {
  const table = open(createListEntry({ isRemoved: true }));
  const monthMs = 30 * 86_400_000;
  t.same(table.sweep(0, 1_000 + monthMs - 1).entries, []);
  t.equal(table.sweep(0, 1_000 + monthMs).entries.length, 1);
});

t.test('finds an identifier under each of its hash keys, by one entry', async (t) => {
  const both = createListEntry({ others: { bbbb2222: hashOf(2) } });
  const table = open(both);
  const id = entryIdOf(both);
  t.same(find(table, 'device', hashOf(1)), [`blocked ${id}`]);
  t.same(find(table, 'device', hashOf(2)), [`blocked ${id}`]);
  t.equal(table.size, 1);
  t.strictSame(table.get('blocked', 'device', hashOf(2)), both);
  t.strictSame(table.page({ from: 0, limit: 9, isWanted: () => true }).entries, [both]);
  table.put({ ...both, addedAtMs: 2_000, isRemoved: true });
  t.same([...find(table, 'device', hashOf(1)), ...find(table, 'device', hashOf(2))], []);
  const again = { ...both, addedAtMs: 3_000, others: null };
  table.put(again);
  t.same(find(table, 'device', hashOf(2)), [], 'of the other key nothing is left');
  t.equal(find(table, 'device', hashOf(1)).length, 1);
  table.put(createListEntry({ value: hashOf(3), others: { bbbb2222: hashOf(1), cccc3333: 'no hash' } }));
  t.strictSame(table.get('blocked', 'device', hashOf(1)), again, 'an entry of its own comes first');
});

t.test('counts the entries that no configured hash key can match', async (t) => {
  const table = open(
    createListEntry(),
    createListEntry({ value: hashOf(2), keyId: 'bbbb2222' }),
    createListEntry({ value: hashOf(3), keyId: 'bbbb2222', others: { aaaa1111: hashOf(4) } }),
    createListEntry({ value: hashOf(5), keyId: 'bbbb2222', others: { cccc3333: hashOf(6) } }),
    createListEntry({ part: 'asn', value: '64500', keyId: null }),
  );
  t.equal(table.unmatched('blocked', 'device'), 2);
  t.equal(table.unmatched('blocked', 'asn'), 0);
  table.put(createListEntry({ value: hashOf(2), keyId: 'bbbb2222', isRemoved: true, addedAtMs: 2_000 }));
  t.equal(table.unmatched('blocked', 'device'), 1);
});

t.test('finds addresses in networks, autonomous systems and countries', async (t) => {
  const table = open(
    createListEntry({ part: 'ip', value: '203.0.113.0/24', keyId: null }),
    createListEntry({ part: 'ip', value: '2001:db8::/32', keyId: null }),
    createListEntry({ part: 'asn', value: '4200000000', keyId: null }),
    createListEntry({ part: 'country', value: 'DE', keyId: null }),
  );
  t.same(findAddress(table, '203.0.113.77'), ['network-203-0-113-0-24']);
  t.same(findAddress(table, '203.0.114.77'), []);
  t.same(findAddress(table, '2001:db8:ffff::1'), ['network-2001-db8---32']);
  t.same(findAddress(table, '2001:db9::1'), []);
  t.same(find(table, 'asn', '4200000000'), ['blocked asn-4200000000']);
  t.same(find(table, 'country', 'DE'), ['blocked country-DE']);
  const removed = { part: 'ip', keyId: null, isRemoved: true, addedAtMs: 2_000 } as const;
  table.put(createListEntry({ ...removed, value: '203.0.113.0/24' }));
  t.same(findAddress(table, '203.0.113.77'), []);
  t.same(findAddress(table, '2001:db8:ffff::1'), ['network-2001-db8---32']);
});

t.test('refuses what is no value of its part', async (t) => {
  const table = open();
  for (const [part, value] of [
    ['device', 'raw-id'],
    ['device', `${hashOf(1)}00`],
    ['device', hashOf(1).replace(/./, 'g')],
    ['asn', '0'],
    ['asn', '4294967296'],
    ['asn', 'AS1'],
    ['country', 'de'],
    ['ip', '203.0.113.1/24'],
    ['ip', '2001:db8::/65'],
  ] as const) {
    t.equal(table.put(createListEntry({ part, value })), false, value);
    t.equal(table.get('blocked', part, value), null);
  }
  t.equal(table.size, 0);
});

t.test('walks every entry once, in steps', async (t) => {
  const entries = Array.from({ length: 70_000 }, (_, serial) =>
    createListEntry({ value: hashOf(serial), list: serial % 7_000 === 0 ? 'rare' : 'blocked' }),
  );
  const table = open(...entries);
  const seen: string[] = [];
  let from: number | null = 0;
  let steps = 0;
  while (from !== null) {
    const page = table.page({ from, limit: 9, isWanted: (list) => list === 'rare' });
    seen.push(...page.entries.map(({ value }) => value));
    from = page.next;
    steps += 1;
  }
  t.same(
    seen,
    entries.filter(({ list }) => list === 'rare').map(({ value }) => value),
  );
  t.equal(steps, 2, 'a step looks at so many rows at most');
});

const addresses = fc.oneof(fc.ipV4(), fc.ipV6());
const networks = addresses.chain((text) => {
  const address = canonicalAddress(text) ?? '';
  const isV6 = address.includes(':');
  return fc.integer({ min: 0, max: isV6 ? 64 : 32 }).map((prefix) => networkAround(address, prefix));
});

/** The network of so many bits around an address. */
function networkAround(address: string, prefix: number): string {
  const parsed = parseNetwork(`${address}/${prefix}`);
  if (!('mistake' in parsed)) return `${address}/${prefix}`;
  return /write (\S+)$/.exec(parsed.mistake)?.[1] ?? '';
}

t.test('agrees with the test of networks about every address', async (t) => {
  fc.assert(
    fc.property(fc.array(networks, { maxLength: 8 }), addresses, fc.nat(64), (texts, given, bits) => {
      const address = canonicalAddress(given) ?? '';
      // An address that is near one of them as well.
      const near = networkAround(address, Math.min(bits, address.includes(':') ? 64 : 32));
      const listed = [...texts, near].filter((text) => text !== '');
      const table = open(...listed.map((value) => createListEntry({ part: 'ip', value, keyId: null })));
      const expected = listed.filter((text) => {
        const network = parseNetwork(text);
        return !('mistake' in network) && createNetworkTest([network])(address) === true;
      });
      const found = findAddress(table, address);
      t.same(
        found.toSorted(),
        [...new Set(expected.map((value) => entryIdOf({ part: 'ip', value })))].toSorted(),
      );
      for (const value of listed) t.equal(table.get('blocked', 'ip', value)?.value, value);
    }),
    { seed: 1, numRuns: 300 },
  );
});

t.test('agrees with a plain map after any changes', async () => {
  const change = fc.record({
    list: fc.constantFrom('a', 'b'),
    serial: fc.nat(40),
    addedAtMs: fc.nat(1_000),
    isRemoved: fc.boolean(),
    expiresAtMs: fc.option(fc.nat(1_000)),
    sweepAtMs: fc.option(fc.nat(1_000), { freq: 4 }),
  });
  fc.assert(
    fc.property(fc.array(change, { maxLength: 120 }), (changes) => {
      const table = new ListTable(KEYS);
      const plain = new Map<string, ListEntry>();
      for (const { serial, sweepAtMs, ...rest } of changes) {
        const entry = createListEntry({ ...rest, value: hashOf(serial) });
        const name = `${entry.list} ${serial}`;
        const isNews = (plain.get(name)?.addedAtMs ?? -1) < entry.addedAtMs;
        if (isNews) plain.set(name, entry);
        if (table.put(entry) !== isNews) return false;
        if (sweepAtMs === null) continue;
        table.sweep(0, sweepAtMs);
        for (const [each, { expiresAtMs, isRemoved }] of plain)
          if (!isRemoved && expiresAtMs !== null && expiresAtMs <= sweepAtMs) plain.delete(each);
      }
      const live = [...plain.values()].filter(({ isRemoved }) => !isRemoved);
      return (
        table.size === live.length &&
        [...Array(41).keys()].every((serial) => {
          const expected = ['a', 'b'].filter((list) => {
            const entry = plain.get(`${list} ${serial}`);
            return entry !== undefined && isInForce(entry, 500);
          });
          const found = find(table, 'device', hashOf(serial), 500).map((hit) => hit.split(' ')[0] ?? '');
          return found.toSorted().join() === expected.join();
        })
      );
    }),
    { seed: 2, numRuns: 500 },
  );
});

t.test('takes what is put again under another of its hashes, though the first was removed', async (t) => {
  const first = createListEntry({ others: { bbbb2222: hashOf(2) } });
  const again = createListEntry({ value: hashOf(2), keyId: 'bbbb2222', others: { aaaa1111: hashOf(1) } });
  const table = open(first, { ...first, addedAtMs: 2_000, isRemoved: true });
  t.ok(table.put({ ...again, addedAtMs: 1_999 }), 'a moment before the removal, which another clock told');
  t.equal(find(table, 'device', hashOf(2)).length, 1);
  t.equal(table.size, 1);
  const { entries } = table.page({ from: 0, limit: 10, isWanted: () => true });
  t.ok(
    entries.some(({ value, isRemoved }) => value === hashOf(2) && !isRemoved),
    'it is among the entries',
  );
});

t.test('tells other hashes as they were given, whichever of them have rows', async (t) => {
  const table = new ListTable(KEYS);
  const given = [
    { bbbb2222: hashOf(2), cccc3333: hashOf(3) },
    { bbbb2222: hashOf(2), cccc3333: 'no hash' },
    {},
  ];
  for (const [serial, others] of given.entries()) {
    const entry = createListEntry({ value: hashOf(1), others, addedAtMs: 1_000 + serial });
    t.ok(table.put(entry));
    t.strictSame(table.get('blocked', 'device', hashOf(1)), entry);
  }
  const entry = createListEntry({ value: hashOf(1), others: given[0] ?? null, addedAtMs: 2_000 });
  table.put(entry);
  table.put(createListEntry({ value: hashOf(2), keyId: 'bbbb2222', addedAtMs: 3_000 }));
  t.strictSame(table.get('blocked', 'device', hashOf(1)), entry, 'and one of them has an entry of its own');
  t.equal(table.size, 2);
  t.equal(find(table, 'device', hashOf(3)).length, 1, 'the others are still found');
});

t.test('keeps what is in force against an older entry under another of its hashes', async (t) => {
  const first = createListEntry({ others: { bbbb2222: hashOf(2) } });
  const older = createListEntry({ value: hashOf(2), keyId: 'bbbb2222', addedAtMs: 999, isRemoved: true });
  const table = open(first);
  t.notOk(table.put(older));
  t.equal(find(table, 'device', hashOf(2)).length, 1);
  t.ok(table.put({ ...older, addedAtMs: 1_001 }), 'a later removal counts');
  t.same(find(table, 'device', hashOf(2)), []);
  t.equal(find(table, 'device', hashOf(1)).length, 1);
});
