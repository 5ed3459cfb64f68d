import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { REDIS_SETTINGS, type RedisConfig, type RedisTlsConfig } from '../config/redis-settings.ts';
import type { RedisTarget, RedisTls } from '../stores/redis/target.ts';

/** Every mistake in the files of TLS, one line each. */
export function checkTlsFiles(tls: RedisTlsConfig | null): readonly string[] {
  if (tls === null) return [];
  return [
    ...checkPem('caFile', tls, 'a certificate', (text) => new X509Certificate(text)),
    ...checkPem('certFile', tls, 'a certificate', (text) => new X509Certificate(text)),
    ...checkPem('keyFile', tls, 'a private key', (text) => createPrivateKey(text)),
  ];
}

/**
 * The configured Redis with the files of TLS read; null where none is configured. Throws when a file cannot
 * be read; see checkTlsFiles for all mistakes beforehand.
 */
export function readRedisTarget(config: RedisConfig | null): RedisTarget | null {
  return config === null ? null : { ...config, tls: config.tls === null ? null : readTls(config.tls) };
}

function readTls({ caFile, certFile, keyFile, serverName }: RedisTlsConfig): RedisTls {
  return { ca: readText(caFile), cert: readText(certFile), key: readText(keyFile), serverName };
}

function readText(path: string | null): string | null {
  return path === null ? null : readFileSync(path, 'utf8');
}

function checkPem(
  file: 'caFile' | 'certFile' | 'keyFile',
  tls: RedisTlsConfig,
  what: string,
  parse: (text: string) => unknown,
): readonly string[] {
  const path = tls[file];
  if (path === null) return [];
  try {
    parse(readFileSync(path, 'utf8'));
    return [];
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : null;
    const isUnread = typeof code === 'string' && /^E[A-Z]+$/.test(code);
    const named = `${REDIS_SETTINGS[file].env} ${path}`;
    return [isUnread ? `${named}: cannot be read (${code})` : `${named}: is not ${what} in PEM`];
  }
}
