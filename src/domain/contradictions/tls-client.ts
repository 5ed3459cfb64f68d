import { type Ja4, parseJa4 } from '../ja4.ts';
import type { Contradiction, ContradictionInput, Finding, Side, Told } from './contradiction.ts';
import { anyOf, compare, found, numberOf, textOf } from './told.ts';

/**
 * The first versions that offer TLS 1.3 and HTTP/2 on every system that they run on: Chrome 70 and Firefox 63
 * (2018), Opera 57 and Samsung Internet 10, which are made of Chrome, Edge 79, Safari 15 (macOS 10.15).
 */
const MODERN_SINCE: ReadonlyMap<string, number> = new Map([
  ['Chrome', 70],
  ['Firefox', 63],
  ['Microsoft Edge', 79],
  ['Opera', 57],
  ['Safari', 15],
  ['Samsung Internet for Android', 10],
]);
/** There every browser uses what the system has. */
const SYSTEM_TLS = 'iOS';
const MODERN_TLS = '1.3';
const NEVER_QUIC = 'Internet Explorer';

/** What a User-Agent says of its browser. */
interface Browser {
  readonly family: string;
  readonly os: string;
  readonly major: number | undefined;
}

/** A TLS client that is not the browser that it says it is. */
export const TLS_CLIENT: Contradiction = {
  id: 'tls_client',
  family: 'client',
  meaning:
    "The JA4 of Prefactor's last interaction cannot be of the browser that its User-Agent names: one of 2018 or later without TLS 1.3 or without ALPN, QUIC without HTTP/3, or Internet Explorer over QUIC. Or the ciphers of first and last seen differ, while browser, major version, system, transport and TLS version do not.",
  reads: ['prefactor'],
  find: ({ evidence: { prefactor } }: ContradictionInput): Finding => {
    const [first, last] = [toSeen(prefactor, 'first_seen'), toSeen(prefactor, 'last_seen')];
    return anyOf([compare(last.client, last.browser, judgeClient), judgeChange(first, last)]);
  },
};

interface Seen {
  readonly client: Told<Ja4>;
  readonly browser: Told<Browser>;
}

function toSeen(prefactor: Side, seen: 'first_seen' | 'last_seen'): Seen {
  const ja4 = textOf(prefactor, seen, 'ja4');
  return { client: typeof ja4 === 'string' ? parseJa4(ja4) : ja4, browser: toBrowser(prefactor, seen) };
}

function toBrowser(prefactor: Side, seen: 'first_seen' | 'last_seen'): Told<Browser> {
  const family = textOf(prefactor, seen, 'user_agent_family');
  const os = textOf(prefactor, seen, 'user_agent_os');
  const major = numberOf(prefactor, seen, 'user_agent_major');
  if (family === undefined || os === undefined) return undefined;
  return family === null || os === null || major === null ? null : { family, os, major };
}

function judgeClient(client: Ja4, { family, os, major }: Browser): Finding {
  const { transport, tlsVersion, alpn } = client;
  const working = { user_agent: family, version: major, transport, tls_version: tlsVersion, alpn };
  if (family === NEVER_QUIC) return found(transport === 'quic', working);
  const since = MODERN_SINCE.get(family);
  if (since === undefined || major === undefined) return 'none';
  if (major < since || (os === SYSTEM_TLS && family !== 'Safari')) return 'none';
  const isOld = tlsVersion !== MODERN_TLS || alpn === 'none' || (transport === 'quic' && alpn !== 'h3');
  return found(isOld, working);
}

/** Extensions come and go when sessions are resumed; ciphers do not. */
function judgeChange(first: Seen, last: Seen): Finding {
  return compare(first.client, last.client, (before, now) =>
    compare(first.browser, last.browser, (from, to) => {
      const isSameWay = before.transport === now.transport && before.tlsVersion === now.tlsVersion;
      const isSame = from.family === to.family && from.os === to.os && from.major === to.major;
      if (!isSameWay || !isSame || to.major === undefined) return 'none';
      return found(before.ciphers !== now.ciphers, {
        user_agent: to.family,
        version: to.major,
        first_seen_ciphers: before.ciphers,
        last_seen_ciphers: now.ciphers,
      });
    }),
  );
}
