/** Where a Redis listens. */
export interface RedisAddressConfig {
  readonly host: string;
  readonly port: number;
}

/** Who signs in to a Redis; null for what is not sent. */
export interface RedisCredentialsConfig {
  readonly username: string | null;
  readonly password: string | null;
}

/** What a `redis://` URL says. */
interface RedisUrlConfig extends RedisCredentialsConfig, RedisAddressConfig {
  readonly database: number;
  readonly isTls: boolean;
}

/**
 * Reads `redis://` and `rediss://` URLs: an optional user with a password, host, optional port, optional
 * database number. Null for anything else.
 */
export function parseRedisUrl(text: string): RedisUrlConfig | null {
  const url = URL.parse(text);
  if (url === null || (url.protocol !== 'redis:' && url.protocol !== 'rediss:')) return null;
  const [, database = ''] = /^\/?(\d{0,5})$/.exec(url.pathname) ?? [null, null];
  const username = decode(url.username);
  const secret = decode(url.password);
  if (database === null || username === null || secret === null) return null;
  if (url.hostname === '' || url.search !== '' || url.hash !== '') return null;
  // A user without a password: AUTH has no such form.
  if (username !== '' && secret === '') return null;
  return {
    host: url.hostname.replace(/^\[(.*)\]$/, '$1'),
    port: url.port === '' ? 6_379 : Number(url.port),
    username: username || null,
    password: secret || null,
    database: Number(database),
    isTls: url.protocol === 'rediss:',
  };
}

function decode(text: string): string | null {
  try {
    return decodeURIComponent(text);
  } catch {
    // A URIError: a lone percent sign.
    return null;
  }
}
