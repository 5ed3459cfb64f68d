/** The readable parts of a JA4 fingerprint of a TLS client. */
export interface Ja4 {
  readonly transport: 'tcp' | 'quic' | 'dtls';
  /** The highest version offered, `1.3` for example; absent where it is not TLS, or not known. */
  readonly tlsVersion: string | undefined;
  /** First and last character of the first protocol offered: `h2`, `h3`, `h1` for http/1.1; `none` for none. */
  readonly alpn: string;
  /** The hash of the ciphers offered, sorted: the same for all builds of one browser that offer the same. */
  readonly ciphers: string;
}

const JA4 = /^([tqd])([0-9sd][0-9])[di]\d{4}([0-9a-z]{2})_([0-9a-f]{12})_[0-9a-f]{12}$/;
const TRANSPORTS = { t: 'tcp', q: 'quic', d: 'dtls' } as const;
const TLS_VERSIONS: ReadonlyMap<string, string> = new Map([
  ['13', '1.3'],
  ['12', '1.2'],
  ['11', '1.1'],
  ['10', '1.0'],
]);
const NO_ALPN = '00';

/** The parts of a fingerprint in the form of FoxIO's specification of JA4; null for any other text. */
export function parseJa4(text: string): Ja4 | null {
  const [, transport, version = '', alpn = '', ciphers = ''] = JA4.exec(text) ?? [];
  if (transport === undefined) return null;
  return {
    transport: TRANSPORTS[transport as keyof typeof TRANSPORTS],
    tlsVersion: TLS_VERSIONS.get(version),
    alpn: alpn === NO_ALPN ? 'none' : alpn,
    ciphers,
  };
}
