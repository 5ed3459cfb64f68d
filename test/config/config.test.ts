import t from 'tap';
import { type Config, loadConfig } from '../../src/config/config.ts';
import { allDecisionLogSettings } from '../../src/config/decision-log-settings.ts';
import { commonSettings } from '../../src/config/provider-settings.ts';
import { REDIS_SETTINGS } from '../../src/config/redis-settings.ts';
import { SERVICE_SETTINGS } from '../../src/config/service-settings.ts';
import { PROVIDERS } from '../../src/providers/registry.ts';
import { NAMED_PLUG_INS, PLUG_INS } from '../support/plug-ins.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const MINIMAL = {
  API_KEYS_FILE: 'keys.yaml',
  ID_HASH_KEY: 'k'.repeat(32),
  STYTCH_PROJECT_ID: 'project-1',
  STYTCH_SECRET: 'secret-1',
  MOBILERUN_API_KEY: 'key-1',
  PREFACTOR_API_TOKEN: 'token-1',
  PREFACTOR_BASE_URL: 'https://prefactor.example',
};

function load(changes: Environment = {}): Config {
  const loaded = loadConfig({ ...MINIMAL, ...changes }, NAMED_PLUG_INS);
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  return loaded.value;
}

function mistakesOf(env: Environment): readonly string[] {
  const loaded = loadConfig(env, NAMED_PLUG_INS);
  return loaded.ok ? [] : loaded.mistakes;
}

function providerOf(config: Config, id: string) {
  const provider = config.providers.find((candidate) => candidate.id === id);
  if (provider === undefined) throw new Error(`there is no ${id}`);
  return provider;
}

t.test('has the defaults of the contract', async (t) => {
  const { providers, ...own } = load();
  t.strictSame(own, {
    host: '127.0.0.1',
    port: 8080,
    logLevel: 'info',
    isDecisionLineWritten: false,
    apiKeysFile: 'keys.yaml',
    idHashKeys: ['k'.repeat(32)],
    policyFile: 'policies/default.yaml',
    decisionDeadlineMs: 1000,
    policyCandidates: null,
    gatewayProfilesFile: null,
    redis: null,
    drainDelayMs: 2_000,
    geoipFiles: null,
    hasTestIds: false,
    publicUrl: null,
    sharedSignalsFile: null,
    webhooksFile: null,
    alertsFile: null,
    oidc: null,
    arePrivateWebhooksAllowed: false,
    sharedSignalsEntriesMax: 200_000,
    grpcPort: null,
    gatewayHeaderBytesMax: 65_536,
    keepAliveMs: 72_000,
    connectionsMax: 8_192,
    cacheEntriesMax: 50_000,
    localCacheTtlMs: 5_000,
    redisTimeoutMs: 25,
    custodyRetentionMs: 86_400_000,
    custodyEntriesMax: 200_000,
    activityEntriesMax: 50_000,
    idHashMemoEntriesMax: null,
    listsFile: null,
    listsEntriesMax: 1_000_000,
    isMeasured: true,
    isDashboardServed: true,
    traces: null,
    proxy: { http: null, https: null, except: null },
    ignored: [],
    inFlightMax: 4096,
    readsConcurrent: 16,
    eventLoopDelayMaxMs: 200,
    wrongKeysMax: 100,
    idempotencyTtlMs: 86_400_000,
    isInsecureAllowed: false,
    decisionLog: {
      delivery: 'lossy',
      timeoutMs: 1000,
      bufferMax: 10_000,
      countsKeptMs: 2_592_000_000,
      sinks: [
        { id: 'memory', isNamed: true, settings: { recordsMax: 10_000 } },
        { id: 'redis', isNamed: false, settings: { hourRecordsMax: 100_000, recordsKeptMs: 86_400_000 } },
        { id: 'file', isNamed: false, settings: {} },
        { id: 'stdout', isNamed: false, settings: {} },
      ],
    },
  });
  t.same(
    providers.map(({ id, isEnabled }) => [id, isEnabled]),
    [
      ['stytch', true],
      ['mobilerun', true],
      ['prefactor', true],
    ],
  );
});

t.test('has the defaults of the providers', async (t) => {
  const config = load();
  t.match(providerOf(config, 'stytch').settings, {
    projectId: 'project-1',
    secret: 'secret-1',
    baseUrl: 'https://telemetry.stytch.com',
    lookupMethod: 'post',
  });
  const { settings } = providerOf(config, 'mobilerun');
  t.match(settings, { apiKey: 'key-1', baseUrl: 'https://api.mobilerun.ai/v1' });
  t.equal(settings['displayId'], undefined);
  t.match(providerOf(config, 'prefactor').settings, {
    apiToken: 'token-1',
    baseUrl: 'https://prefactor.example',
  });
  for (const provider of config.providers) {
    t.ok(provider.timeoutMs >= 50);
    t.ok(
      (provider.ttlMs['not_found'] ?? 0) < (provider.ttlMs['ok'] ?? 0),
      'negative answers are kept shorter',
    );
  }
});

/** Variable, a value for it, and what reads it back. */
const VARIABLES: readonly (readonly [string, string, (config: Config) => unknown, unknown])[] = [
  ['HOST', '0.0.0.0', ({ host }) => host, '0.0.0.0'],
  ['PORT', '0', ({ port }) => port, 0],
  ['PORT', '65535', ({ port }) => port, 65_535],
  ['LOG_LEVEL', 'debug', ({ logLevel }) => logLevel, 'debug'],
  ['LOG_DECISIONS', 'on', ({ isDecisionLineWritten }) => isDecisionLineWritten, true],
  ['API_KEYS_FILE', '/etc/keys.yaml', ({ apiKeysFile }) => apiKeysFile, '/etc/keys.yaml'],
  ['ID_HASH_KEY', ` ${'ü'.repeat(16)}\n`, ({ idHashKeys }) => idHashKeys.join(), 'ü'.repeat(16)],
  ['POLICY_FILE', 'policies/strict.yaml', ({ policyFile }) => policyFile, 'policies/strict.yaml'],
  ['DECISION_DEADLINE_MS', '50', ({ decisionDeadlineMs }) => decisionDeadlineMs, 50],
  ['DECISION_DEADLINE_MS', '10000', ({ decisionDeadlineMs }) => decisionDeadlineMs, 10_000],
  ['CACHE_ENTRIES_MAX', '7', ({ cacheEntriesMax }) => cacheEntriesMax, 7],
  ['CACHE_LOCAL_TTL_SECONDS', '0', ({ localCacheTtlMs }) => localCacheTtlMs, 0],
  [
    'STYTCH_PROJECT_ID',
    'project-2',
    (config) => providerOf(config, 'stytch').settings['projectId'],
    'project-2',
  ],
  ['STYTCH_SECRET', 'secret-2', (config) => providerOf(config, 'stytch').settings['secret'], 'secret-2'],
  [
    'STYTCH_BASE_URL',
    'http://127.0.0.1:1',
    (config) => providerOf(config, 'stytch').settings['baseUrl'],
    'http://127.0.0.1:1',
  ],
  ['STYTCH_LOOKUP_METHOD', 'get', (config) => providerOf(config, 'stytch').settings['lookupMethod'], 'get'],
  ['STYTCH_TIMEOUT_MS', '300', (config) => providerOf(config, 'stytch').timeoutMs, 300],
  ['STYTCH_OK_TTL_SECONDS', '7', (config) => providerOf(config, 'stytch').ttlMs['ok'], 7_000],
  ['STYTCH_NOT_FOUND_TTL_SECONDS', '0', (config) => providerOf(config, 'stytch').ttlMs['not_found'], 0],
  ['MOBILERUN_API_KEY', 'key-2', (config) => providerOf(config, 'mobilerun').settings['apiKey'], 'key-2'],
  [
    'MOBILERUN_BASE_URL',
    'http://x/v2/',
    (config) => providerOf(config, 'mobilerun').settings['baseUrl'],
    'http://x/v2',
  ],
  ['MOBILERUN_DISPLAY_ID', '0', (config) => providerOf(config, 'mobilerun').settings['displayId'], 0],
  ['MOBILERUN_TIMEOUT_MS', '301', (config) => providerOf(config, 'mobilerun').timeoutMs, 301],
  [
    'MOBILERUN_UNSUPPORTED_TTL_SECONDS',
    '9',
    (config) => providerOf(config, 'mobilerun').ttlMs['unsupported'],
    9_000,
  ],
  [
    'PREFACTOR_API_TOKEN',
    'token-2',
    (config) => providerOf(config, 'prefactor').settings['apiToken'],
    'token-2',
  ],
  [
    'PREFACTOR_BASE_URL',
    'https://y',
    (config) => providerOf(config, 'prefactor').settings['baseUrl'],
    'https://y',
  ],
  ['PREFACTOR_TIMEOUT_MS', '302', (config) => providerOf(config, 'prefactor').timeoutMs, 302],
  ['PREFACTOR_OK_TTL_SECONDS', '86400', (config) => providerOf(config, 'prefactor').ttlMs['ok'], 86_400_000],
];

for (const [name, value, read, expected] of VARIABLES) {
  t.test(`reads ${name}=${value}`, async (t) => {
    t.equal(read(load({ [name]: value })), expected);
  });
}

/** Variable and values that are refused. */
const WRONG: readonly (readonly [string, readonly string[]])[] = [
  ['PORT', ['-1', '65536', '80.5', '8o', ' 80', '0x50', '1e3', '٣']],
  ['LOG_LEVEL', ['loud', 'INFO', '30']],
  ['ID_HASH_KEY', ['short', 'k'.repeat(31), `${'k'.repeat(32)},`, `${'k'.repeat(32)}\nk`]],
  ['DECISION_DEADLINE_MS', ['49', '10001', '1s', '-1000']],
  ['REDIS_URL', ['cache.example', 'http://redis:6379', 'localhost:6379', 'unix:/tmp/x']],
  ['CACHE_ENTRIES_MAX', ['0', 'many']],
  ['CACHE_LOCAL_TTL_SECONDS', ['-1', '3601']],
  ['STYTCH_PROJECT_ID', ['a:b', 'a b', 'ü']],
  ['STYTCH_SECRET', ['a b', 'a\nb', 'ü']],
  ['STYTCH_BASE_URL', ['stytch.com', 'ftp://x', 'https://x?a=b', 'https://user:pass@x', 'https://x/#a']],
  ['STYTCH_LOOKUP_METHOD', ['put', 'POST']],
  ['STYTCH_TIMEOUT_MS', ['0', '9', '10001', 'x']],
  ['STYTCH_OK_TTL_SECONDS', ['-1', '86401', '1.5']],
  ['MOBILERUN_API_KEY', ['a b', 'a\r\nX-Injected: 1']],
  ['MOBILERUN_BASE_URL', ['api.mobilerun.ai/v1', 'javascript:alert(1)']],
  ['MOBILERUN_DISPLAY_ID', ['-1', 'x', '1.5']],
  ['PREFACTOR_BASE_URL', ['prefactor', 'file:///etc']],
  ['PREFACTOR_NOT_FOUND_TTL_SECONDS', ['soon']],
];

for (const [name, values] of WRONG) {
  t.test(`refuses wrong values of ${name}, by name and without repeating them`, async (t) => {
    for (const value of values) {
      const mistakes = mistakesOf({ ...MINIMAL, [name]: value });
      t.equal(mistakes.length, 1, JSON.stringify(value));
      t.match(mistakes[0], new RegExp(`^${name} \\S`));
      if (value.length > 3) t.notOk(mistakes[0]?.slice(name.length).includes(value), 'without the value');
    }
  });
}

t.test('a link to a Kubernetes service is no setting, and is told', async (t) => {
  const env = { ...MINIMAL, GRPC_PORT: 'tcp://10.0.0.7:9090', GRPC_SERVICE_HOST: '10.0.0.7' };
  const loaded = loadConfig(env, NAMED_PLUG_INS);
  if (!loaded.ok) throw new Error(loaded.mistakes.join());
  t.equal(loaded.value.grpcPort, null);
  t.match(loaded.value.ignored, [{ variable: 'GRPC_PORT', reason: /enableServiceLinks: false/ }]);
});

t.test('takes one hash key or a list of them, and not both', async (t) => {
  const [young, old, { ID_HASH_KEY: _, ...others }] = ['n'.repeat(32), 'o'.repeat(32), MINIMAL];
  const loaded = loadConfig({ ...others, ID_HASH_KEYS: `${young}, ${old}` }, NAMED_PLUG_INS);
  t.match(loaded, { ok: true, value: { idHashKeys: [young, old] } });
  const lines = loadConfig({ ...others, ID_HASH_KEYS: `${young},\r\n${old}` }, NAMED_PLUG_INS);
  t.match(lines, { ok: true, value: { idHashKeys: [young, old] } }, 'one on each line of a file');
  t.match(mistakesOf({ ...MINIMAL, ID_HASH_KEYS: young }), [/^ID_HASH_KEY and ID_HASH_KEYS are both set/]);
  for (const [list, mistake] of [
    [`${young},${old.slice(1)}`, /^ID_HASH_KEYS must be at least 32 bytes/],
    [`${young},`, /^ID_HASH_KEYS must be at least 32 bytes/],
    [`${young},${young}`, /^ID_HASH_KEYS names a key twice/],
    [
      'abcde'
        .split('')
        .map((letter) => letter.repeat(32))
        .join(),
      /^ID_HASH_KEYS must be at most 4 keys/,
    ],
  ] as const)
    t.match(mistakesOf({ ...others, ID_HASH_KEYS: list }), [mistake]);
});

t.test('names everything that is missing at once', async (t) => {
  const mistakes = mistakesOf({});
  t.match(mistakes, [/^API_KEYS_FILE is missing/, /^ID_HASH_KEY is missing/, /^no provider is enabled/]);
  for (const name of ['STYTCH_PROJECT_ID', 'STYTCH_SECRET', 'MOBILERUN_API_KEY', 'PREFACTOR_API_TOKEN']) {
    t.match(mistakes[2], name);
  }
});

t.test('names every mistake at once, those of files too', async (t) => {
  const canary = 'canary-value-of-a-secret';
  const env = {
    ...MINIMAL,
    PORT: canary,
    LOG_LEVEL: canary,
    ID_HASH_KEY: 'canary',
    REDIS_URL: `http://:${canary}@x`,
    STYTCH_SECRET: `${canary} and a space`,
    STYTCH_LOOKUP_METHOD: canary,
    MOBILERUN_API_KEY: `${canary}\n`.repeat(2),
    MOBILERUN_TIMEOUT_MS: canary,
    PREFACTOR_BASE_URL: `ftp://${canary}`,
  };
  const seen: unknown[] = [];
  const loaded = loadConfig(env, NAMED_PLUG_INS, (files) => {
    seen.push(files);
    return ['policies/default.yaml:1:1: is wrong', 'keys.yaml: cannot be read (ENOENT)'];
  });
  if (loaded.ok) throw new Error('it was taken');
  t.equal(loaded.mistakes.length, 11);
  t.notMatch(loaded.mistakes.join('\n'), /canary/);
  t.match(loaded.mistakes, [/^LOG_LEVEL|PORT/], 'by name');
  t.match(seen, [{ policyFile: 'policies/default.yaml', apiKeysFile: 'keys.yaml' }]);
});

t.test('takes an empty variable for one that is absent', async (t) => {
  const config = load({ PORT: '', REDIS_URL: '', STYTCH_LOOKUP_METHOD: '', MOBILERUN_DISPLAY_ID: '' });
  t.match(config, { port: 8080, redis: null });
  t.match(mistakesOf({ ...MINIMAL, ID_HASH_KEY: '' }), [/^ID_HASH_KEY is missing/]);
});

t.test('enables a provider by its credentials, and wants all of them', async (t) => {
  const { STYTCH_PROJECT_ID: _project, STYTCH_SECRET: _secret, ...others } = MINIMAL;
  const loaded = loadConfig(others, NAMED_PLUG_INS);
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  t.equal(providerOf(loaded.value, 'stytch').isEnabled, false);
  t.match(mistakesOf({ ...others, STYTCH_SECRET: 'x' }), [/^STYTCH_PROJECT_ID is missing/]);
  t.match(mistakesOf({ ...others, STYTCH_PROJECT_ID: 'x' }), [/^STYTCH_SECRET is missing/]);
  t.match(mistakesOf({ ...MINIMAL, PREFACTOR_BASE_URL: '' }), [/^PREFACTOR_BASE_URL is missing/]);
});

t.test('finds wrong variables of a provider that is disabled', async (t) => {
  const { MOBILERUN_API_KEY: _key, ...others } = MINIMAL;
  t.match(mistakesOf({ ...others, MOBILERUN_BASE_URL: 'nonsense' }), [/^MOBILERUN_BASE_URL /]);
});

t.test('is frozen throughout, and no other object than the environment', async (t) => {
  const config = load();
  const isFrozen = (value: unknown): boolean =>
    typeof value !== 'object' ||
    value === null ||
    (Object.isFrozen(value) && Object.values(value).every(isFrozen));
  t.ok(isFrozen(config));
  t.not(load(), config);
});

function namedIn({ decisionLog }: Config): readonly string[] {
  return decisionLog.sinks.filter(({ isNamed }) => isNamed).map(({ id }) => id);
}

t.test('reads where decisions are recorded', async (t) => {
  const file = { DECISION_LOG: 'file, redis,stdout', DECISION_LOG_FILE: 'log', REDIS_URL: 'redis://r' };
  t.strictSame(namedIn(load(file)), ['redis', 'file', 'stdout']);
  t.match(
    load(file).decisionLog.sinks.find(({ id }) => id === 'file'),
    { settings: { path: 'log' } },
  );
  t.strictSame(namedIn(load({ DECISION_LOG: 'off' })), []);
  t.strictSame(mistakesOf({ ...MINIMAL, DECISION_LOG: 'file,redis' }), [
    'DECISION_LOG names redis, so REDIS_URL, REDIS_SENTINELS or REDIS_CLUSTER is needed',
    'DECISION_LOG names file, so DECISION_LOG_FILE is needed',
  ]);
  const strict = { ...MINIMAL, DECISION_LOG_DELIVERY: 'strict' };
  for (const sinks of ['memory', 'stdout', 'off'])
    t.strictSame(mistakesOf({ ...strict, DECISION_LOG: sinks }), [
      'DECISION_LOG_DELIVERY strict needs redis or file in DECISION_LOG',
    ]);
  t.strictSame(mistakesOf({ ...strict, DECISION_LOG: 'file', DECISION_LOG_FILE: 'log' }), []);
  t.match(mistakesOf({ ...MINIMAL, DECISION_LOG: 'memory,memory' }), [/names a sink twice/]);
  t.match(mistakesOf({ ...MINIMAL, DECISION_LOG: 'disk' }), [
    /must be off, or a list of memory, redis, file, stdout with commas between/,
  ]);
  t.match(mistakesOf({ ...MINIMAL, DECISION_LOG_RETENTION_HOURS: '0' }), [/^DECISION_LOG_RETENTION_HOURS /]);
  t.match(mistakesOf({ ...MINIMAL, DECISION_LOG_DELIVERY: 'often' }), [/must be lossy or strict/]);
});

t.test('describes every variable', async (t) => {
  const own = [
    ...Object.values(SERVICE_SETTINGS),
    ...allDecisionLogSettings(PLUG_INS.sinks),
    ...Object.values(REDIS_SETTINGS),
  ];
  const ofProviders = PROVIDERS.flatMap((provider) => [
    ...Object.values(provider.settings),
    ...commonSettings(provider),
  ]);
  const all = [...own, ...ofProviders];
  t.ok(all.length >= 25);
  t.equal(new Set(all.map(({ env }) => env)).size, all.length, 'and no two by one name');
  for (const { env, description } of all) {
    t.match(env, /^[A-Z][A-Z0-9_]+$/);
    t.match(description, /^[A-Z`].{8,}\.$/s, env);
  }
});
