import { parseRedisUrl } from '../../src/config/redis-url.ts';
import type { RedisTarget, StandaloneTarget } from '../../src/stores/redis/target.ts';

/** The target that REDIS_URL would be, without TLS. */
export function toRedisTarget(url: string, keyPrefix: string = 'riskgate'): StandaloneTarget {
  const parsed = parseRedisUrl(url);
  if (parsed === null) throw new Error('not a redis:// URL');
  const { host, port, username, password, database } = parsed;
  return {
    topology: 'standalone',
    address: { host, port },
    database,
    credentials: { username, password },
    tls: null,
    keyPrefix,
  };
}

/** A target, or the URL of one server. */
export type AnyTarget =
  | { readonly target: RedisTarget }
  | { readonly url: string; readonly keyPrefix?: string };

export function toTarget(given: AnyTarget): RedisTarget {
  return 'target' in given ? given.target : toRedisTarget(given.url, given.keyPrefix);
}
