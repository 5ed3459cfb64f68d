import t from 'tap';
import { loadConfig } from '../../src/config/config.ts';
import type { RedisConfig } from '../../src/config/redis-settings.ts';
import { PLUG_INS } from '../support/plug-ins.ts';

type Environment = Readonly<Record<string, string>>;

const MINIMAL = {
  API_KEYS_FILE: 'keys.yaml',
  ID_HASH_KEY: 'k'.repeat(32),
  STYTCH_PROJECT_ID: 'project-1',
  STYTCH_SECRET: 'secret-1',
};
const NO_TLS_FILES = { caFile: null, certFile: null, keyFile: null, serverName: null };

function load(env: Environment): RedisConfig | null {
  const loaded = loadConfig({ ...MINIMAL, ...env }, PLUG_INS);
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  return loaded.value.redis;
}

function mistakesOf(env: Environment): readonly string[] {
  const loaded = loadConfig({ ...MINIMAL, ...env }, PLUG_INS);
  return loaded.ok ? [] : loaded.mistakes;
}

const standalone = (changes: object = {}) => ({
  keyPrefix: 'riskgate',
  credentials: { username: null, password: null },
  tls: null,
  topology: 'standalone',
  address: { host: 'redis', port: 6379 },
  database: 0,
  ...changes,
});

/** URL and what it means. */
const URLS: readonly (readonly [string, object])[] = [
  ['redis://redis', standalone()],
  ['redis://redis/', standalone()],
  ['redis://redis:6380/3', standalone({ address: { host: 'redis', port: 6380 }, database: 3 })],
  ['redis://:p%40ss@redis', standalone({ credentials: { username: null, password: 'p@ss' } })],
  [
    'rediss://user:pa%2Fss@redis',
    standalone({ credentials: { username: 'user', password: 'pa/ss' }, tls: NO_TLS_FILES }),
  ],
  ['redis://[::1]:6379', standalone({ address: { host: '::1', port: 6379 } })],
];

for (const [url, expected] of URLS) {
  t.test(`reads ${url}`, async (t) => {
    t.strictSame(load({ REDIS_URL: url }), expected);
  });
}

t.test('refuses other URLs, without repeating them', async (t) => {
  const urls = [
    'redis://',
    'redis://user@redis',
    'redis://redis/one',
    'redis://redis/0/1',
    'redis://redis?db=3',
    'redis://redis/0#x',
    'redis://:%E0@redis',
    'redis://redis:99999',
    '/tmp/redis.sock',
  ];
  for (const url of urls) {
    const mistakes = mistakesOf({ REDIS_URL: url });
    t.equal(mistakes.length, 1, url);
    t.match(mistakes[0], /^REDIS_URL must be a redis:\/\/ or rediss:\/\/ URL/, url);
  }
});

t.test('reads sentinels', async (t) => {
  const env = {
    REDIS_SENTINELS: 'one:26380, two,[::1]:26379',
    REDIS_MASTER: 'main',
    REDIS_USERNAME: 'user',
    REDIS_PASSWORD: 'secret',
    REDIS_DB: '2',
    REDIS_SENTINEL_PASSWORD: 'other',
    REDIS_KEY_PREFIX: 'risk:eu-1',
  };
  t.strictSame(load(env), {
    keyPrefix: 'risk:eu-1',
    credentials: { username: 'user', password: 'secret' },
    tls: null,
    topology: 'sentinel',
    sentinels: [
      { host: 'one', port: 26380 },
      { host: 'two', port: 26379 },
      { host: '::1', port: 26379 },
    ],
    masterName: 'main',
    sentinelCredentials: { username: null, password: 'other' },
    database: 2,
  });
});

t.test('reads a cluster with TLS', async (t) => {
  const env = {
    REDIS_CLUSTER: 'one:7000,two',
    REDIS_TLS: 'on',
    REDIS_TLS_CA_FILE: '/ca.pem',
    REDIS_TLS_CERT_FILE: '/cert.pem',
    REDIS_TLS_KEY_FILE: '/key.pem',
    REDIS_TLS_SERVER_NAME: 'redis.example',
  };
  t.strictSame(load(env), {
    keyPrefix: 'riskgate',
    credentials: { username: null, password: null },
    tls: {
      caFile: '/ca.pem',
      certFile: '/cert.pem',
      keyFile: '/key.pem',
      serverName: 'redis.example',
    },
    topology: 'cluster',
    nodes: [
      { host: 'one', port: 7000 },
      { host: 'two', port: 6379 },
    ],
  });
});

const SENTINELS = { REDIS_SENTINELS: 'one', REDIS_MASTER: 'main' };

/** What does not go together, and how it is named. */
const MISTAKES: readonly (readonly [Environment, readonly RegExp[]])[] = [
  [{ REDIS_URL: 'redis://a', REDIS_CLUSTER: 'b' }, [/^REDIS_URL and REDIS_CLUSTER exclude each other/]],
  [{ ...SENTINELS, REDIS_CLUSTER: 'b' }, [/^REDIS_SENTINELS and REDIS_CLUSTER exclude each other/]],
  [{ REDIS_SENTINELS: 'one' }, [/^REDIS_MASTER is missing/]],
  [{ REDIS_URL: 'redis://a', REDIS_MASTER: 'main' }, [/^REDIS_MASTER needs REDIS_SENTINELS/]],
  [{ REDIS_CLUSTER: 'a', REDIS_DB: '1' }, [/^REDIS_DB does not go with a cluster/]],
  [{ REDIS_CLUSTER: 'a', REDIS_USERNAME: 'user' }, [/^REDIS_USERNAME needs REDIS_PASSWORD/]],
  [{ ...SENTINELS, REDIS_SENTINEL_USERNAME: 'user' }, [/^REDIS_SENTINEL_USERNAME needs/]],
  [{ REDIS_URL: 'redis://a', REDIS_TLS_CA_FILE: '/ca' }, [/^REDIS_TLS_CA_FILE needs TLS/]],
  [{ REDIS_URL: 'rediss://a', REDIS_TLS_CERT_FILE: '/c' }, [/^REDIS_TLS_CERT_FILE needs REDIS_TLS_KEY_FILE/]],
  [{ REDIS_URL: 'rediss://a', REDIS_TLS_KEY_FILE: '/c' }, [/^REDIS_TLS_KEY_FILE needs REDIS_TLS_CERT_FILE/]],
  [{ REDIS_PASSWORD: 'canary' }, [/^REDIS_PASSWORD needs REDIS_URL or REDIS_SENTINELS or REDIS_CLUSTER/]],
  [{ REDIS_CLUSTER: 'a,,b' }, [/^REDIS_CLUSTER must be a list of host:port/]],
  [{ REDIS_CLUSTER: 'redis://a' }, [/^REDIS_CLUSTER must be a list of host:port/]],
  [{ REDIS_CLUSTER: 'a:0' }, [/^REDIS_CLUSTER must be a list of host:port/]],
  [{ REDIS_KEY_PREFIX: 'a{b}' }, [/^REDIS_KEY_PREFIX must be 1 to 64/]],
  [{ REDIS_KEY_PREFIX: ':a' }, [/^REDIS_KEY_PREFIX must be 1 to 64/]],
  [
    { REDIS_URL: 'redis://a', REDIS_PASSWORD: 'canary', REDIS_DB: '1', REDIS_TLS: 'on' },
    [/^REDIS_PASSWORD belongs into/, /^REDIS_DB belongs into/, /^REDIS_TLS belongs into/],
  ],
];

for (const [env, expected] of MISTAKES) {
  t.test(`refuses ${Object.keys(env).join(' and ')}: ${expected.map(String).join(', ')}`, async (t) => {
    const mistakes = mistakesOf(env);
    t.match(mistakes, expected);
    t.equal(mistakes.length, expected.length, mistakes.join('\n'));
    t.notMatch(mistakes.join('\n'), /canary/);
  });
}

t.test('names mistakes of Redis together with all others', async (t) => {
  const mistakes = mistakesOf({
    PORT: 'x',
    REDIS_SENTINELS: 'a b',
    REDIS_TLS: 'yes',
    STYTCH_TIMEOUT_MS: 'x',
  });
  const names = mistakes.map((mistake) => mistake.split(' ')[0]);
  t.same(names, ['PORT', 'REDIS_SENTINELS', 'REDIS_TLS', 'REDIS_MASTER', 'STYTCH_TIMEOUT_MS']);
});

t.test('takes empty variables for absent ones', async (t) => {
  t.equal(load({ REDIS_URL: '', REDIS_CLUSTER: '', REDIS_MASTER: '', REDIS_KEY_PREFIX: '' }), null);
});
