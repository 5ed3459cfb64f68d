import fc from 'fast-check';
import t from 'tap';
import { canonicalAddress } from '../../../src/domain/ip-address.ts';
import { addressWords, mixWords, spellWords, valueWords } from '../../../src/domain/lists/value-words.ts';
import { hashOf } from '../../support/list-entries.ts';

t.test('spells every value as it was given', async (t) => {
  for (const [part, value] of [
    ['device', hashOf(7)],
    ['ip', hashOf(8)],
    ['ip', '0.0.0.0/0'],
    ['ip', '255.255.255.255/32'],
    ['ip', '::/0'],
    ['ip', '2001:db8:0:ffff::/64'],
    ['asn', '1'],
    ['asn', '4294967295'],
    ['country', 'AU'],
  ] as const) {
    const words = valueWords(part, value);
    t.equal(words && spellWords(part, words), value);
  }
});

t.test('reads addresses in their canonical spelling', async (t) => {
  t.same(addressWords('1.2.3.4'), { family: 4, words: [0x0102_0304, 0, 0, 0] });
  t.same(addressWords('255.255.255.255'), { family: 4, words: [-1, 0, 0, 0] });
  t.same(addressWords('::'), { family: 6, words: [0, 0, 0, 0] });
  t.same(addressWords('::1'), { family: 6, words: [0, 0, 0, 1] });
  t.same(addressWords('1::'), { family: 6, words: [0x1_0000, 0, 0, 0] });
  t.same(addressWords('1:2:3:4:5:6:7:8'), {
    family: 6,
    words: [0x1_0002, 0x3_0004, 0x5_0006, 0x7_0008],
  });
  for (const text of [
    '',
    '1.2.3',
    '1.2.3.',
    '.1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '1.2.3.x',
    '1..2.3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1::2::3',
    '12345::',
    'g::',
    '1:2:3:4::5:6:7:8',
  ])
    t.equal(addressWords(text), null, text);
});

t.test('reads every address', async () => {
  fc.assert(
    fc.property(fc.ipV6(), (given) => {
      const address = canonicalAddress(given) ?? '';
      const read = addressWords(address);
      if (read === null || read.family === 4) return read !== null;
      const groups = read.words.flatMap((word) => [(word >>> 16).toString(16), (word & 0xffff).toString(16)]);
      return canonicalAddress(groups.join(':')) === address;
    }),
    { seed: 3, numRuns: 2_000 },
  );
});

t.test('mixes the words of networks so that neighbours are spread', async (t) => {
  const shards = new Set<number>();
  for (let net = 0; net < 4_096; net += 1) {
    const words = valueWords('ip', `10.${net >> 8}.${net & 255}.0/24`);
    if (words !== null) shards.add(mixWords(words) >>> 24);
  }
  t.equal(shards.size, 256);
});
