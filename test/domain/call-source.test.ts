import t from 'tap';
import { callSourceOf } from '../../src/domain/call-source.ts';

t.test('takes /24 of IPv4 and /48 of IPv6', async (t) => {
  const same: readonly (readonly [string, string])[] = [
    ['192.0.2.1', '192.0.2.254'],
    ['192.0.2.1', '::ffff:192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:0DB8:0001:ffff::1'],
    ['::1', '::'],
    ['fe80::1%eth0', 'fe80::2'],
  ];
  const other: readonly (readonly [string, string])[] = [
    ['192.0.2.1', '192.0.3.1'],
    ['2001:db8:1::', '2001:db8::1'],
    ['192.0.2.1', '::192.0.2.1'],
  ];
  for (const [one, two] of same) t.equal(callSourceOf('a', one), callSourceOf('a', two), one);
  for (const [one, two] of other) t.not(callSourceOf('a', one), callSourceOf('a', two), one);
});

t.test('keeps callers and networks apart', async (t) => {
  const sources = [
    callSourceOf('a', '192.0.2.1'),
    callSourceOf('b', '192.0.2.1'),
    callSourceOf('a', '192.0.3.1'),
    callSourceOf('a', undefined),
    callSourceOf(undefined, undefined),
  ];
  t.equal(new Set(sources).size, sources.length);
  t.equal(callSourceOf('a', '192.0.2.9'), sources[0]);
});
