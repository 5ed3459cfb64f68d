import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import {
  canonicalAddress,
  createNetworkTest,
  networkOfAddress,
  parseNetwork,
} from '../../src/domain/ip-address.ts';

t.test('gives the many spellings of an address as one', async (t) => {
  const spellings: readonly [canonical: string, ...others: string[]][] = [
    [
      '203.0.113.9',
      '::ffff:203.0.113.9',
      '::FFFF:203.0.113.9',
      '::ffff:cb00:7109',
      '0:0:0:0:0:ffff:cb00:7109',
      '0000:0000:0000:0000:0000:FFFF:203.0.113.9',
      '::ffff:203.0.113.9%eth0',
      '[::ffff:203.0.113.9]',
      '[::ffff:cb00:7109]:443',
      '203.0.113.9:5431',
      ' 203.0.113.9 ',
    ],
    [
      '2001:db8::1',
      '2001:DB8::1',
      '2001:0db8::0001',
      '2001:db8:0:0:0:0:0:1',
      '2001:0db8:0000:0000:0000:0000:0000:0001',
      '2001:db8::0:1',
      '2001:db8::0.0.0.1',
      '[2001:db8::1]',
      '[2001:db8::1]:443',
      '[2001:DB8::1%eth0]:443',
      '2001:db8::1%1',
    ],
    ['::', '0:0:0:0:0:0:0:0', '0::0', '[::]:0'],
    ['::1', '0:0:0:0:0:0:0:1'],
    ['fe80::1', 'fe80::1%eth0', 'FE80::1%25'],
    // RFC 5952, 4.2.2 and 4.2.3: one zero group stays, the longer run goes, of two equal ones the first.
    ['2001:db8:0:1:1:1:1:1', '2001:db8::1:1:1:1:1'],
    ['2001:0:0:1::1', '2001:0:0:1:0:0:0:1'],
    ['2001:db8::1:0:0:1', '2001:db8:0:0:1:0:0:1'],
    ['1:2:3:4:5:6::', '1:2:3:4:5:6:0:0'],
    // Embedded IPv4 that is not the mapped form is an address of its own.
    ['64:ff9b::cb00:7109', '64:ff9b::203.0.113.9'],
    ['2002:cb00:7109::', '2002:cb00:7109::0'],
    ['::cb00:7109', '::203.0.113.9'],
    ['::ffff:0:cb00:7109', '::ffff:0:203.0.113.9'],
  ];
  for (const [canonical, ...others] of spellings)
    for (const spelling of [canonical, ...others]) t.equal(canonicalAddress(spelling), canonical, spelling);
});

t.test('reads nothing that is no address, or more than one', async (t) => {
  const unreadable = [
    '',
    ' ',
    'unknown',
    '_hidden',
    'localhost',
    '203.0.113',
    '203.0.113.9.1',
    '203.0.113.256',
    '1',
    '0x7f.1',
    '010.0.0.1',
    '203.0.113.09',
    '203.0.113.009',
    '3405803785',
    '203.0.113.9/32',
    '203.0.113.9:',
    '203.0.113.9:x',
    '203.0.113.9:123456',
    '203.0.113.9%eth0',
    '[203.0.113.9]',
    '[203.0.113.9]:80',
    '203.0.113.9, 198.51.100.1',
    '2001:db8',
    '2001:db8::1::2',
    ':1',
    '1:',
    ':::',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8:9',
    '2001:db8::12345',
    '2001:db8::g',
    '[2001:db8::1',
    '2001:db8::1]',
    '[2001:db8::1]x',
    '[2001:db8::1]:',
    '[[::1]]',
    '::1%',
    '::1%a b',
    '::ffff:203.0.113',
    '::ffff:203.0.113.256',
    '::203.0.113.9:1',
    '1.2.3.4::',
    '::ffff:010.0.0.1',
    'for=203.0.113.9',
    '２０３.0.113.9',
    '203.0.113.9\u0000',
    '203.0.113.9\n198.51.100.1',
    `::1%${'a'.repeat(65)}`,
    '1'.repeat(200),
    '1::2:3:4:5:6:7:8',
    '1:2:3:4:5:6:7:8.9.10.11',
    '٢٠٣.0.113.9',
  ];
  for (const text of unreadable) t.equal(canonicalAddress(text), null, JSON.stringify(text));
});

t.test('takes dotted IPv4 that is canonical already for what it would be parsed to', async (t) => {
  const strange = ['', '00', '01', '001', '256', '260', '300', '999', '1000', '+1', '1e1', ' 1', '٣', 'a'];
  const parts = [...Array.from({ length: 256 }, (_, octet) => String(octet)), ...strange];
  for (const part of parts)
    for (const place of [0, 1, 2, 3]) {
      const text = ['203', '0', '113', '9'].with(place, part).join('.');
      // With a space behind it, it is parsed.
      t.equal(canonicalAddress(text), canonicalAddress(`${text} `), JSON.stringify(text));
    }
  for (const more of ['\n', '.', '.1', ':', '%1']) {
    const text = `203.0.113.9${more}`;
    t.equal(canonicalAddress(text), canonicalAddress(`${text} `), JSON.stringify(text));
  }
});

t.test('reads what node:net reads, and gives it back as a URL spells it', async (t) => {
  const group = fc.oneof(
    fc.constantFrom('0', '00', 'ffff', 'FFFF', '1'),
    fc.integer({ min: 0, max: 0xffff }).map((number) => number.toString(16)),
  );
  const text = fc.oneof(
    fc.ipV4(),
    fc.ipV6(),
    fc.array(group, { minLength: 1, maxLength: 9 }).map((groups) => groups.join(':')),
    fc
      .tuple(fc.array(group, { maxLength: 7 }), fc.array(group, { maxLength: 7 }))
      .map((halves) => halves.map((half) => half.join(':')).join('::')),
    fc
      .tuple(fc.array(group, { maxLength: 6 }), fc.ipV4())
      .map(([groups, tail]) => [...groups, tail].join(':')),
  );
  let addresses = 0;
  fc.assert(
    fc.property(text, (spelling) => {
      const canonical = canonicalAddress(spelling);
      if (isIP(spelling) === 0) return canonical === null || /^[\d.]+:\d+$/.test(spelling);
      addresses += 1;
      if (canonical === null || canonicalAddress(canonical) !== canonical) return false;
      if (isIP(canonical) === 4)
        return isIP(spelling) === 4 ? canonical === spelling : /ffff/i.test(spelling);
      return new URL(`http://[${spelling}]`).hostname === `[${canonical}]`;
    }),
    { numRuns: 5000, seed: 20_261_129 },
  );
  t.ok(addresses > 2000, `${addresses} texts were addresses`);
});

t.test('names the network of an address', async (t) => {
  const subscriber = { 4: 32, 6: 64 };
  t.equal(networkOfAddress('::ffff:203.0.113.9', subscriber), '203.0.113.9/32');
  t.equal(networkOfAddress('2001:db8:1:2:3:4:5:6', subscriber), '2001:db8:1:2::/64');
  t.equal(networkOfAddress('203.0.113.9', { 4: 24, 6: 48 }), '203.0.113.0/24');
  t.equal(networkOfAddress('2001:DB8:1:2::6', { 4: 24, 6: 48 }), '2001:db8:1::/48');
  t.equal(networkOfAddress('none', subscriber), null);
});

t.test('refuses a network that is written wrongly', async (t) => {
  const wrong: readonly [text: string, why: RegExp][] = [
    ['203.0.113.9', /write its prefix/],
    ['203.0.113.9/24', /write 203\.0\.113\.0\/24/],
    ['2001:db8::1/32', /write 2001:db8::\/32/],
    ['::ffff:203.0.113.9/120', /write 203\.0\.113\.0\/24/],
    ['203.0.113.0/33', /prefix/],
    ['2001:db8::/129', /prefix/],
    ['::ffff:0:0/95', /prefix|bits/],
    ['203.0.113.0/024', /is no network/],
    ['203.0.113.0/', /is no network/],
    ['203.0.113.0/24/8', /is no network/],
    ['203.0.113/24', /is no network/],
    ['[2001:db8::]/32', /is no network/],
    ['fe80::%eth0/64', /is no network/],
    ['', /write its prefix/],
  ];
  for (const [text, why] of wrong) {
    const network = parseNetwork(text);
    t.match('mistake' in network ? network.mistake : '', why, text);
  }
});

t.test('finds an address in a network, whatever the spelling of either', async (t) => {
  const isIn = (network: string, address: string) => {
    const parsed = parseNetwork(network);
    if ('mistake' in parsed) throw new Error(parsed.mistake);
    return createNetworkTest([parsed])(address);
  };
  t.equal(isIn('203.0.113.0/24', '203.0.113.9'), true);
  t.equal(isIn('203.0.113.0/24', '::ffff:cb00:7109'), true);
  t.equal(isIn('::ffff:203.0.113.0/120', '203.0.113.9'), true);
  t.equal(isIn('203.0.113.0/24', '203.0.114.9'), false);
  t.equal(isIn('2001:DB8::/32', '[2001:db8:ffff::1]:443'), true);
  t.equal(isIn('::/0', '203.0.113.9'), false, 'no IPv4 address is in an IPv6 network');
  t.equal(isIn('0.0.0.0/0', '203.0.113.9'), true);
  t.equal(isIn('203.0.113.9/32', '203.0.113.9'), true);
  t.equal(isIn('203.0.113.0/24', 'unknown'), null);
  t.equal(createNetworkTest([])('203.0.113.9'), false);
});

t.test('agrees with node:net about who is in a network', async (t) => {
  const prefixed = fc.oneof(
    fc.tuple(fc.ipV4(), fc.ipV4(), fc.integer({ min: 1, max: 32 }), fc.constant('ipv4' as const)),
    fc.tuple(fc.ipV6(), fc.ipV6(), fc.integer({ min: 1, max: 128 }), fc.constant('ipv6' as const)),
  );
  let inside = 0;
  fc.assert(
    fc.property(prefixed, fc.boolean(), ([base, other, prefix, family], isNear) => {
      const whole = networkOfAddress(base, { 4: prefix, 6: prefix });
      const network = parseNetwork(whole ?? '');
      if ('mistake' in network) return false;
      const list = new BlockList();
      list.addSubnet(base, prefix, family);
      const address = isNear ? base : other;
      if (list.check(address, family)) inside += 1;
      return createNetworkTest([network])(address) === list.check(address, family);
    }),
    { numRuns: 2000, seed: 20_261_129 },
  );
  t.ok(inside > 500, `${inside} addresses were inside`);
});
