import { networkOfAddress } from './ip-address.ts';

/** Address bits that one subscriber or site can choose freely are left out. */
const SOURCE_PREFIXES = { 4: 24, 6: 48 } as const;

/**
 * The source of a call, for statistics that tell sources apart: the caller's key and the network of the end
 * user's address (/24 for IPv4, /48 for IPv6). Kept in memory only.
 */
export function callSourceOf(caller: string | undefined, ip: string | undefined): string {
  const network = ip === undefined ? null : networkOfAddress(ip, SOURCE_PREFIXES);
  return `${caller ?? ''} ${network ?? ''}`;
}
