import t from 'tap';
import { callSourceOf, networkOf } from '../../src/domain/call-source.ts';

t.test('takes /24 of IPv4 and /48 of IPv6', async (t) => {
  const networks: [string, string][] = [
    ['192.0.2.1', '192.0.2/24'],
    ['192.0.2.254', '192.0.2/24'],
    ['192.0.3.1', '192.0.3/24'],
    ['::ffff:192.0.2.1', '192.0.2/24'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1/48'],
    ['2001:0DB8:0001:ffff::1', '2001:db8:1/48'],
    ['2001:db8::1', '2001:db8:0/48'],
    ['2001:db8:1::', '2001:db8:1/48'],
    ['::1', '0:0:0/48'],
    ['::', '0:0:0/48'],
    ['fe80::1%eth0', 'fe80:0:0/48'],
  ];
  for (const [ip, network] of networks) t.equal(networkOf(ip), network, ip);
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
