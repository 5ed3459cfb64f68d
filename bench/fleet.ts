import { hash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { emulatorEnvironment } from '../src/emulators/server.ts';
import { PROVIDERS } from '../src/providers/registry.ts';
import { startKafkaServer } from '../test/support/kafka-server.ts';
import { startPostgresServer } from '../test/support/postgres-server.ts';
import { startRedisServer } from '../test/support/redis-server.ts';
import { findFreePort } from './free-port.ts';
import { writeListsFile } from './lists-file.ts';
import type { VariantId } from './options.ts';
import { startCerbos } from './peers/cerbos.ts';
import {
  SIX_SIGNALS,
  writeActivityPolicy,
  writeCandidates,
  writeContradictionFreePolicy,
  writeRepeatedPolicy,
} from './policies.ts';
import { prime, readSample, readSignals, waitUntilAlive } from './probe.ts';
import type { BenchProcess, BenchProcesses } from './processes.ts';
import {
  API_KEY,
  GATEWAY_PROFILES,
  LIMITED_API_KEY,
  type RunningVariant,
  VARIANTS,
  WARM_IDS,
} from './variants.ts';

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

interface FleetOptions {
  readonly only: ReadonlySet<VariantId>;
  /** Subjects of the variants that have many. */
  readonly subjects: number;
}

/** What servers are started with. */
interface Yard {
  readonly processes: BenchProcesses;
  readonly directory: string;
  readonly env: Readonly<Record<string, string>>;
  /** Of another checkout; absent for ours. */
  readonly root?: string;
}

type Running = Pick<RunningVariant, 'server' | 'port' | 'loadPort' | 'twin' | 'peerSignals'>;

/**
 * Starts every server that is wanted, each in its own process, fills the caches, and proves that each answers
 * as it should.
 */
export async function startFleet(processes: BenchProcesses, options: FleetOptions): Promise<Fleet> {
  const emulators = await processes.start({ script: 'bench/servers/emulators.ts', announces: true });
  const yard = createYard(processes, emulators);
  const sample = await readSampleOf(yard);
  const echo = (script: string) => async (): Promise<Running> => {
    const server = await processes.start({ script, env: { BENCH_ANSWER: sample }, announces: true });
    return { server, port: server.port };
  };
  const start = {
    ...toStarts(yard),
    http: echo('bench/servers/node-http.ts'),
    fastify: echo('bench/servers/fastify.ts'),
  };
  return { variants: await startVariants(start, options, false), emulators, sample };
}

/** The services of another checkout, with the same emulators and the same load. */
export async function startOthers(
  processes: BenchProcesses,
  { emulators }: Fleet,
  root: string,
  options: FleetOptions,
): Promise<readonly RunningVariant[]> {
  const { cerbos: _, ...starts } = toStarts({ ...createYard(processes, emulators), root });
  return startVariants(starts, options, true);
}

type Starts = Readonly<Partial<Record<VariantId, () => Promise<Running>>>>;

async function startVariants(
  starts: Starts,
  { only, subjects }: FleetOptions,
  isOther: boolean,
): Promise<readonly RunningVariant[]> {
  const counts = { one: 1, few: WARM_IDS.count, many: subjects };
  const variants: RunningVariant[] = [];
  for (const variant of VARIANTS) {
    const start = starts[variant.id];
    if (start === undefined || !only.has(variant.id)) continue;
    const serials = { first: WARM_IDS.first, count: counts[variant.subjects ?? 'few'] };
    const running = { ...variant, ...(await start()), serials, isOther };
    await prime(running);
    if (running.twin !== undefined) await prime({ ...running, ...running.twin });
    variants.push(running);
  }
  return variants;
}

/** A service with its history in SQLite, whose caches are empty, and its emulators. */
export async function startSqliteService(processes: BenchProcesses) {
  const emulators = await processes.start({ script: 'bench/servers/emulators.ts', announces: true });
  const yard = createYard(processes, emulators);
  const dataDirectory = join(yard.directory, 'data');
  const running = await startService(yard, { DECISION_LOG: 'sqlite', DATA_DIR: dataDirectory });
  return { emulators, running, dataDirectory };
}

async function readSampleOf(yard: Yard): Promise<string> {
  const { server, port } = await startService(yard);
  const sample = await readSample(port);
  server.kill();
  return sample;
}

async function startService({ processes, env: common, root }: Yard, env = {}): Promise<Running> {
  const port = await findFreePort();
  const server = await processes.start({
    script: 'src/main.ts',
    env: { ...common, ...env, PORT: String(port), NODE_OPTIONS: startFlags(root) },
    announces: false,
    ...(root !== undefined && { root }),
  });
  await waitUntilAlive(port);
  return { server, port };
}

/** What `npm start` of a checkout tells Node beside the script. */
function startFlags(root = fileURLToPath(new URL('..', import.meta.url))): string {
  const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
    scripts: { start: string };
  };
  return /exec node (.*)src\/main\.ts$/.exec(scripts.start)?.[1]?.trim() ?? '';
}

/** How the service of each variant is started. */
function toStarts(yard: Yard): Starts {
  const { processes, directory } = yard;
  const service =
    (env: Readonly<Record<string, string>> = {}) =>
    () =>
      startService(yard, env);
  const inFile = (name: string) => ({
    DECISION_LOG: 'file',
    DECISION_LOG_FILE: join(directory, `${name}.ndjson`),
  });
  const withRedisAt = ({ url }: { readonly url: string }, env: Readonly<Record<string, string>>) =>
    service({ REDIS_URL: url, REDIS_TIMEOUT_MS: REDIS_PATIENCE_MS, ...env });
  const withRedis = (env: Readonly<Record<string, string>>) => async () =>
    withRedisAt(await startRedisServer(processes), env)();
  // Evidence stays in memory: only custody and the log go to Redis.
  const [local, remote] = [{ CACHE_LOCAL_TTL_SECONDS: TTL_SECONDS }, { CACHE_LOCAL_TTL_SECONDS: '0' }];
  const withPostgres = async () => {
    const server = await startPostgresServer(processes);
    return service({ DECISION_LOG: 'postgres', HISTORY_URL: await server.createDatabase() })();
  };
  const withKafka = async () => {
    const { brokers, createTopic } = await startKafkaServer(processes);
    await createTopic('bench', { partitions: 6 });
    const plain = { KAFKA_BROKERS: brokers, KAFKA_TOPIC: 'bench' };
    return service({ DECISION_LOG: 'kafka', ...plain })();
  };
  const rules = (count: number) => service({ POLICY_FILE: writeRepeatedPolicy(directory, count) });
  const grpc = async () => {
    const loadPort = await findFreePort();
    return { ...(await startService(yard, { GRPC_PORT: String(loadPort) })), loadPort };
  };
  return {
    unlogged: service({ DECISION_LOG: 'off' }),
    'unlogged-redis': withRedis({ ...local, DECISION_LOG: 'off' }),
    warm: service(),
    one: service(),
    many: service(),
    explain: service(),
    'rules-100': rules(100),
    'rules-500': rules(500),
    lists: async () => {
      const file = await writeListsFile(directory, yard.env['ID_HASH_KEY'] ?? '');
      return startService(yard, { LISTS_FILE: file });
    },
    candidate: service({ POLICY_CANDIDATES: writeCandidates(directory, 1).join() }),
    'candidates-3': service({ POLICY_CANDIDATES: writeCandidates(directory, 3).join() }),
    'no-contradictions': service({ POLICY_FILE: writeContradictionFreePolicy(directory) }),
    'no-activity': service({ POLICY_FILE: writeActivityPolicy(directory, []) }),
    activity: service({ POLICY_FILE: writeActivityPolicy(directory, SIX_SIGNALS) }),
    limited: service(),
    gateway: service(),
    grpc,
    'log-stdout': service({ DECISION_LOG: 'stdout' }),
    'log-file': service(inFile('lossy')),
    'log-redis': withRedis({ ...local, DECISION_LOG: 'redis' }),
    'log-sqlite': service({ DECISION_LOG: 'sqlite', DATA_DIR: join(directory, 'data') }),
    'log-postgres': withPostgres,
    'log-kafka': withKafka,
    'log-strict': service({ ...inFile('strict'), DECISION_LOG_DELIVERY: 'strict' }),
    redis: withRedis(remote),
    'redis-many': withRedis(remote),
    'redis-no-activity': withRedis({ ...remote, POLICY_FILE: writeActivityPolicy(directory, []) }),
    'redis-activity': withRedis({ ...remote, POLICY_FILE: writeActivityPolicy(directory, SIX_SIGNALS) }),
    replica: async () => {
      const start = withRedisAt(await startRedisServer(processes), { ...local, DECISION_LOG: 'redis' });
      return { ...(await start()), twin: await start() };
    },
    cold: service(),
    cerbos: () => startPeer(yard),
  };
}

/** Cerbos, which is told what a warm decision of ours knew. */
async function startPeer({ processes, directory, env, root }: Yard): Promise<Running> {
  const { server, port } = await startService({
    processes,
    directory,
    env,
    ...(root !== undefined && { root }),
  });
  const peerSignals = await readSignals(port);
  server.kill();
  const cerbos = await startCerbos(directory);
  processes.teardown(() => cerbos.child.kill('SIGKILL'));
  const peer: BenchProcess = {
    port: cerbos.port,
    ask: () => Promise.reject(new Error('Cerbos answers no questions')),
    cpuMicros: async () => cerbos.cpuMicros(),
    loopMicros: async () => null,
    kill: () => cerbos.child.kill('SIGKILL'),
  };
  return { server: peer, port: cerbos.port, peerSignals };
}

function createYard(processes: BenchProcesses, emulators: BenchProcess): Yard {
  const directory = createDirectory(processes);
  return { processes, directory, env: createServiceEnv(emulators.port, directory) };
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
    // Three pieces of evidence for each subject.
    CACHE_ENTRIES_MAX: '200000',
    // An account, a device and what its evidence names.
    ACTIVITY_ENTRIES_MAX: '400000',
    LOG_LEVEL: 'info',
  };
}
