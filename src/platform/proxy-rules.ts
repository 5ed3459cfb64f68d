import { BlockList, isIP } from 'node:net';

/** What the environment says of proxies; null or empty is absent. */
export interface ProxyEnvironment {
  /** The proxy for `http:` URLs, and for `https:` ones. */
  readonly http: string | null;
  readonly https: string | null;
  /** Hosts that are reached directly, comma separated. */
  readonly except: string | null;
}

/** The proxy through which `url` is reached, or null for none. */
type FindProxy = (url: URL) => URL | null;

const DEFAULT_PORTS: Readonly<Record<string, number>> = { 'http:': 80, 'https:': 443 };

/**
 * Reads NO_PROXY as most programs do: `*`, a host with everything below it, `.example.com`, `*.example.com`,
 * an address, a network, each with a port or without. Loopback is never reached through a proxy, which would
 * be another machine's.
 */
export function createFindProxy({ http, https, except }: ProxyEnvironment): FindProxy {
  const exceptions = (except ?? '')
    .split(/[\s,]+/)
    .flatMap((entry) => (entry === '' ? [] : [toException(entry)]));
  return (url) => {
    const proxy = url.protocol === 'https:' ? https : http;
    if (proxy === null || proxy === '') return null;
    const host = toHost(url.hostname);
    const port = Number(url.port) || (DEFAULT_PORTS[url.protocol] ?? 0);
    if (isLoopbackHost(host) || exceptions.some((isException) => isException(host, port))) return null;
    return new URL(proxy);
  };
}

type IsException = (host: string, port: number) => boolean;

function toException(entry: string): IsException {
  const [, bracketed, plain = entry, port] = /^(?:\[([^\]]+)\]|([^:]+))(?::(\d+))?$/.exec(entry) ?? [];
  const name = toHost(bracketed ?? plain);
  const isHost = toHostRule(name);
  return (host, ofPort) => (port === undefined || Number(port) === ofPort) && isHost(host);
}

function toHostRule(name: string): (host: string) => boolean {
  if (name === '*') return () => true;
  const [address = '', bits] = name.split('/');
  const family = isIP(address);
  if (family !== 0) {
    const list = new BlockList();
    const type = family === 4 ? 'ipv4' : 'ipv6';
    const prefix = bits === undefined ? NaN : Number(bits);
    if (Number.isInteger(prefix) && prefix >= 0 && prefix <= (family === 4 ? 32 : 128))
      list.addSubnet(address, prefix, type);
    else if (bits === undefined) list.addAddress(address, type);
    return (host) => isIP(host) !== 0 && list.check(host, isIP(host) === 4 ? 'ipv4' : 'ipv6');
  }
  const isBelowOnly = name.startsWith('*.');
  const suffix = name.replace(/^\*?\./, '');
  return (host) => host.endsWith(`.${suffix}`) || (!isBelowOnly && host === suffix);
}

/** Without the brackets of IPv6, the dot of the root, and case. */
function toHost(hostname: string): string {
  return hostname
    .replace(/^\[(.+)\]$/, '$1')
    .replace(/(.)\.$/, '$1')
    .toLowerCase();
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

function isLoopbackHost(host: string): boolean {
  if (host === 'localhost' || host.endsWith('.localhost')) return true;
  const family = isIP(host);
  return family !== 0 && LOOPBACK.check(host, family === 4 ? 'ipv4' : 'ipv6');
}
