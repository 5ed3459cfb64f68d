import { BlockList, isIPv4, isIPv6 } from 'node:net';

/** What is no public host: IANA's special-purpose registries (RFC 6890), with multicast and what is reserved. */
const NOT_PUBLIC = {
  ipv4: [
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.88.99.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 3],
  ],
  ipv6: [
    ['::', 96],
    ['::ffff:0:0', 96],
    ['64:ff9b::', 96],
    ['64:ff9b:1::', 48],
    ['100::', 64],
    ['2001::', 23],
    ['2001:db8::', 32],
    ['2002::', 16],
    ['3fff::', 20],
    ['5f00::', 16],
    ['fc00::', 7],
    ['fe80::', 9],
    ['ff00::', 8],
  ],
} as const;

/** One for each family: in one list IPv4 would be found in the networks of IPv6 that wrap it. */
const lists = { ipv4: new BlockList(), ipv6: new BlockList() } as const;
for (const [network, prefix] of NOT_PUBLIC.ipv4) lists.ipv4.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of NOT_PUBLIC.ipv6) lists.ipv6.addSubnet(network, prefix, 'ipv6');

/**
 * True for an address of the public internet. IPv4 inside IPv6, in any of its wrappings, is not: nobody
 * publishes one.
 */
export function isPublicAddress(address: string): boolean {
  if (isIPv4(address)) return !lists.ipv4.check(address, 'ipv4');
  return isIPv6(address) && !lists.ipv6.check(address.replace(/%.*$/, ''), 'ipv6');
}
