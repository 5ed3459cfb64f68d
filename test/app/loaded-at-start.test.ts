import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PROGRAM = fileURLToPath(new URL('../support/list-loaded.ts', import.meta.url));

const directory = mkdtempSync(join(tmpdir(), 'riskgate-loaded-'));
t.teardown(() => rmSync(directory, { recursive: true, force: true }));
const keys = join(directory, 'keys.yaml');
writeFileSync(keys, JSON.stringify({ keys: [{ id: 'test', sha256: 'ab'.repeat(32), scopes: ['decide'] }] }), {
  mode: 0o600,
});

/** The modules that a start loads. No connection is made before the warm-up, which is left out. */
async function loadedWith(settings: Readonly<Record<string, string>> = {}): Promise<readonly string[]> {
  const env = {
    STYTCH_PROJECT_ID: 'test',
    STYTCH_SECRET: 'test',
    STYTCH_BASE_URL: 'http://127.0.0.1:9',
    API_KEYS_FILE: keys,
    ID_HASH_KEY: 'a key of at least as many characters as it takes',
    HOST: '127.0.0.1',
    ...settings,
  };
  const { stdout } = await promisify(execFile)(process.execPath, [PROGRAM], {
    cwd: ROOT,
    env,
    maxBuffer: 4_194_304,
  });
  return JSON.parse(stdout) as string[];
}

/** What only some configurations use, by what the names of its modules begin with. */
const ON_DEMAND = {
  traces: '@opentelemetry/',
  gRPC: 'src/platform/grpc/server',
  'definitions of gRPC': 'protobufjs/',
  Redis: 'ioredis/',
  PostgreSQL: 'pg/',
  migrations: 'postgrator/',
  Kafka: '@platformatic/kafka/',
  'the sink of Kafka': 'src/stores/decision-log/kafka/kafka-sink',
  'a history in SQLite': 'src/stores/decision-log/sqlite/sqlite-log',
  'the upkeep of a history': 'src/stores/decision-log/sqlite/upkeep',
  'compression of answers': '@fastify/compress/',
  Parquet: 'hyparquet-writer/',
  'OpenID Connect': 'openid-client/',
  'shared signals': 'jose/',
  GeoIP: 'maxmind/',
  'every mobile network': 'mcc-mnc-list/index',
  emulators: 'src/emulators/',
  commands: 'commander/',
  'all of undici': 'undici/index',
  "Node's own undici": 'NativeModule internal/deps/undici/',
} as const;

const findLoaded = (modules: readonly string[]) =>
  Object.entries(ON_DEMAND).flatMap(([name, start]) =>
    modules.some((module) => module.startsWith(start)) ? [name] : [],
  );

t.test('a start by default loads nothing that it does not use', async (t) => {
  const modules = await loadedWith();
  for (const used of ['fastify/', 'src/stores/evidence/', 'NativeModule http'])
    t.ok(
      modules.some((module) => module.startsWith(used)),
      `${used} is seen`,
    );
  t.strictSame(findLoaded(modules), []);
});

t.test('what is configured is loaded at the start, where it can be found missing', async (t) => {
  const modules = await loadedWith({
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9',
    DATA_DIR: join(directory, 'data'),
    GRPC_PORT: '9',
    REDIS_URL: 'redis://127.0.0.1:9',
  });
  const found = findLoaded(modules);
  for (const name of ['traces', 'a history in SQLite', 'gRPC', 'Redis']) t.ok(found.includes(name), name);
});
