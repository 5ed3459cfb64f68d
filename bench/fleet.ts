import { hash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emulatorEnvironment } from '../src/emulators/server.ts';
import { PROVIDERS } from '../src/providers/registry.ts';
import { startRedisServer } from '../test/support/redis-server.ts';
import type { VariantId } from './options.ts';
import { prime, readSample, waitUntilAlive } from './probe.ts';
import type { BenchProcess, BenchProcesses } from './processes.ts';
import { API_KEY, GATEWAY_PROFILES, LIMITED_API_KEY, type RunningVariant, VARIANTS } from './variants.ts';

export interface Fleet {
  readonly variants: readonly RunningVariant[];
  readonly emulators: BenchProcess;
  /** The body of a warm decision: what the echoes answer. */
  readonly sample: string;
}

/** Long enough that nothing expires during a benchmark. */
const TTL_SECONDS = '3600';
/** A busy machine is sometimes late, and a decision without custody is not an ALLOW. */
const REDIS_PATIENCE_MS = '1000';

const KEYS = [
  { id: 'bench', sha256: hash('sha256', API_KEY), scopes: ['decide', 'read'] },
  {
    id: 'limited',
    sha256: hash('sha256', LIMITED_API_KEY),
    scopes: ['decide'],
    limits: { requests: 10_000_000, window_seconds: 60, concurrent: 100_000 },
  },
];

/**
 * Starts every server that is wanted, each in its own process, fills the caches, and proves that each answers
 * as it should.
 */
export async function startFleet(processes: BenchProcesses, only: ReadonlySet<VariantId>): Promise<Fleet> {
  const emulators = await processes.start({ script: 'bench/servers/emulators.ts', announces: true });
  const directory = createDirectory(processes);
  const logFile = (name: string) => join(directory, `${name}.ndjson`);
  const serviceEnv = createServiceEnv(emulators.port, directory);
  const startService = async (env: Readonly<Record<string, string>> = {}) => {
    const port = await findFreePort();
    const server = await processes.start({
      script: 'src/main.ts',
      env: { ...serviceEnv, ...env, PORT: String(port) },
      announces: false,
    });
    await waitUntilAlive(port);
    return { server, port };
  };
  const warm = await startService();
  const sample = await readSample(warm.port);
  const startEcho = async (script: string) => {
    const server = await processes.start({ script, env: { BENCH_ANSWER: sample }, announces: true });
    return { server, port: server.port };
  };
  /** Evidence stays in memory: only custody and the log go to Redis. */
  const startWithRedis = async (env: Readonly<Record<string, string>>) => {
    const { url } = await startRedisServer(processes);
    return startService({
      REDIS_URL: url,
      REDIS_TIMEOUT_MS: REDIS_PATIENCE_MS,
      CACHE_LOCAL_TTL_SECONDS: TTL_SECONDS,
      ...env,
    });
  };
  const startWithGrpc = async () => {
    const loadPort = await findFreePort();
    return { ...(await startService({ GRPC_PORT: String(loadPort) })), loadPort };
  };
  type Running = Pick<RunningVariant, 'server' | 'port' | 'loadPort'>;
  const start: Record<VariantId, () => Promise<Running>> = {
    http: () => startEcho('bench/servers/node-http.ts'),
    fastify: () => startEcho('bench/servers/fastify.ts'),
    unlogged: () => startService({ DECISION_LOG: 'off' }),
    warm: async () => warm,
    limited: () => startService(),
    gateway: () => startService(),
    grpc: startWithGrpc,
    'log-file': () => startService({ DECISION_LOG: 'file', DECISION_LOG_FILE: logFile('lossy') }),
    'unlogged-redis': () => startWithRedis({ DECISION_LOG: 'off' }),
    'log-redis': () => startWithRedis({ DECISION_LOG: 'redis' }),
    'log-strict': () =>
      startService({
        DECISION_LOG: 'file',
        DECISION_LOG_DELIVERY: 'strict',
        DECISION_LOG_FILE: logFile('strict'),
      }),
    redis: async () => {
      const { url } = await startRedisServer(processes);
      return startService({
        REDIS_URL: url,
        CACHE_LOCAL_TTL_SECONDS: '0',
        REDIS_TIMEOUT_MS: REDIS_PATIENCE_MS,
      });
    },
    cold: () => startService(),
  };
  const variants: RunningVariant[] = [];
  for (const variant of VARIANTS.filter(({ id }) => only.has(id))) {
    const running = { ...variant, ...(await start[variant.id]()) };
    await prime(running);
    variants.push(running);
  }
  return { variants, emulators, sample };
}

function createDirectory(processes: BenchProcesses): string {
  const directory = mkdtempSync(join(tmpdir(), 'riskgate-bench-'));
  processes.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function createServiceEnv(emulatorPort: number, directory: string): Record<string, string> {
  const keysFile = join(directory, 'keys.yaml');
  writeFileSync(keysFile, JSON.stringify({ keys: KEYS }));
  const profilesFile = join(directory, 'profiles.yaml');
  writeFileSync(profilesFile, GATEWAY_PROFILES);
  return {
    ...emulatorEnvironment(PROVIDERS, `http://127.0.0.1:${emulatorPort}`),
    ...Object.fromEntries(PROVIDERS.map(({ id }) => [`${id.toUpperCase()}_OK_TTL_SECONDS`, TTL_SECONDS])),
    API_KEYS_FILE: keysFile,
    GATEWAY_PROFILES_FILE: profilesFile,
    ID_HASH_KEY: 'a-secret-of-the-benchmark-0123456789abcdef',
    LOG_LEVEL: 'info',
  };
}

function findFreePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address !== null ? address.port : 0));
    });
  });
}
