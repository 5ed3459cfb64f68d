import { isComplete, readSettings } from './read-settings.ts';
import { findRedisMistakes } from './redis-mistakes.ts';
import { REDIS_SETTINGS, type RedisConfig, toRedisConfig } from './redis-settings.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** Reads the variables of Redis; null where there is no Redis, and where they have mistakes. */
export function readRedis(env: Environment, mistakes: string[]): RedisConfig | null {
  const found: string[] = [];
  const values = readSettings(env, REDIS_SETTINGS, found);
  const hasTls = values.isTls === true || /^rediss:/i.test(env[REDIS_SETTINGS.url.env] ?? '');
  found.push(...findRedisMistakes((name) => Boolean(env[REDIS_SETTINGS[name].env]), hasTls));
  mistakes.push(...found);
  return found.length === 0 && isComplete(values) ? toRedisConfig(values) : null;
}

/** Whether a Redis is named. True also where its variables have mistakes, which are reported elsewhere. */
export function isRedisNamed(env: Environment): boolean {
  return [REDIS_SETTINGS.url, REDIS_SETTINGS.sentinels, REDIS_SETTINGS.nodes].some(
    ({ env: name }) => env[name],
  );
}
