import { REDIS_SETTINGS, type RedisConfig, type RedisTlsConfig } from '../config/redis-settings.ts';
import { findTlsMistakes, readTlsFiles } from '../platform/pem-files.ts';
import type { RedisTarget } from '../stores/redis/target.ts';

/** Every mistake in the files of TLS, one line each. */
export function checkTlsFiles(tls: RedisTlsConfig | null): readonly string[] {
  return tls === null ? [] : findTlsMistakes(tls, REDIS_SETTINGS);
}

/**
 * The configured Redis with the files of TLS read; null where none is configured. Throws when a file cannot
 * be read; see checkTlsFiles for all mistakes beforehand.
 */
export function readRedisTarget(config: RedisConfig | null): RedisTarget | null {
  if (config === null) return null;
  const { tls } = config;
  return { ...config, tls: tls === null ? null : { ...readTlsFiles(tls), serverName: tls.serverName } };
}
