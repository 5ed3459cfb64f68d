/** Who is behind a call, as far as statistics need to tell sources apart: the caller's key and the network of the end user's address (/24 for IPv4, /48 for IPv6). Kept in memory only. */
export function callSourceOf(caller: string | undefined, ip: string | undefined): string {
  return `${caller ?? ''} ${ip === undefined ? '' : networkOf(ip)}`;
}

/** The network of a valid address. An IPv4 address inside an IPv6 one (`::ffff:192.0.2.1`) is taken for itself. */
export function networkOf(ip: string): string {
  const [address = ''] = ip.toLowerCase().split('%', 1);
  const dotted = address.slice(address.lastIndexOf(':') + 1);
  if (dotted.includes('.')) return `${dotted.split('.').slice(0, 3).join('.')}/24`;
  const [head = '', tail] = address.split('::', 2);
  const left = head === '' ? [] : head.split(':');
  const right = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = Array.from({ length: 8 - left.length - right.length }, () => '0');
  const groups = [...left, ...zeros, ...right].slice(0, 3);
  return `${groups.map((group) => Number.parseInt(group, 16).toString(16)).join(':')}/48`;
}
