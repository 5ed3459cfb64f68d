import { hash, randomUUIDv7 } from 'node:crypto';
import { pino } from 'pino';
import type { Test } from 'tap';
import { createParquetEncoder } from '../../src/app/parquet-encoder.ts';
import { registerDecisionReads } from '../../src/app/routes.ts';
import type { Clock } from '../../src/application/clock.ts';
import { createCountSteps } from '../../src/application/decision-log/count-steps.ts';
import { createDecisionFeed } from '../../src/application/decision-log/decision-feed.ts';
import type { DecisionLogReader, DecisionSink } from '../../src/application/decision-log/decision-log.ts';
import { rememberPolicies } from '../../src/application/decision-log/known-policies.ts';
import { paceReads } from '../../src/application/decision-log/pace-reads.ts';
import { reportOutcome } from '../../src/application/decision-log/report-outcome.ts';
import type { CompiledPolicy } from '../../src/domain/policy/compile.ts';
import { createGatewayEntryPoint } from '../../src/gateways/entry-point.ts';
import { loadKeyring } from '../../src/http/callers/api-keys.ts';
import type { DecisionReadDependencies } from '../../src/http/decision-log/decision-reads.ts';
import { createDecisionStreams } from '../../src/http/decision-log/decision-streams.ts';
import { describeRoutes } from '../../src/http/plugins/openapi.ts';
import { protect } from '../../src/http/plugins/protect.ts';
import { policyRoutes } from '../../src/http/routes/policy.ts';
import { providersRoutes } from '../../src/http/routes/providers.ts';
import { createServer } from '../../src/http/server.ts';
import { createBackgroundWork } from '../../src/platform/background-work.ts';
import { systemClock } from '../../src/platform/clock.ts';
import { createKeyedHash } from '../../src/platform/keyed-hash.ts';
import { toRfc3339 } from '../../src/platform/rfc3339.ts';
import { createMemoryDecisionLog } from '../../src/stores/decision-log/memory/decision-log.ts';
import { loadPolicyFile } from './load-policy-file.ts';
import { KEYS, portOf } from './test-app.ts';

export interface ReadApiOptions {
  /** A log to read; one in memory otherwise, which is also the sink. */
  readonly reader?: DecisionLogReader;
  readonly clock?: Clock;
  readonly recordsMax?: number;
  readonly policy?: () => CompiledPolicy;
  /** Where the texts of policies are; none are kept otherwise. */
  readonly kept?: Parameters<typeof rememberPolicies>[0]['kept'];
  readonly loadPolicy?: Parameters<typeof rememberPolicies>[0]['load'];
  /** Policies that came into force; none are remembered otherwise. */
  readonly policyHistory?: DecisionReadDependencies['policyHistory'];
  readonly heartbeatSeconds?: number;
  readonly isStrained?: () => boolean;
  readonly readsConcurrent?: number;
}

export interface ReadApi {
  readonly log: DecisionSink & DecisionLogReader;
  readonly hashes: ReturnType<typeof createHashes>;
  readonly logText: () => string;
  readonly drain: () => void;
  /** Takes every key away. */
  readonly withdrawKeys: () => void;
  /** How many streams are open. */
  readonly streams: () => number;
  get(url: string, headers?: Readonly<Record<string, string>>): Promise<ReadAnswer>;
  post(url: string, body: unknown, key?: string): Promise<ReadAnswer>;
  listen(): Promise<number>;
}

export interface ReadAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
  /** Parsed as JSON where it is JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into many shapes.
  readonly json: any;
}

const VERSION = '0.0.0-test';
const HOURS_KEPT_MS = 30 * 86_400_000;

/**
 * The server on a log alone: no providers, and whatever a test appends to the log. It closes with the test.
 */
export async function createReadApi(t: Test, options: ReadApiOptions = {}): Promise<ReadApi> {
  const { clock = systemClock, recordsMax = 50_000 } = options;
  const memory = createMemoryDecisionLog({ clock, recordsMax, countsKeptMs: HOURS_KEPT_MS });
  const log = { ...memory, ...options.reader };
  const { run } = createBackgroundWork({ shareMax: 1 });
  const paced = paceReads(log, run);
  const lines: string[] = [];
  const hashes = createHashes();
  const defaultPolicy = loadPolicyFile('default.yaml');
  const policies = rememberPolicies({
    inForce: options.policy ?? (() => defaultPolicy),
    kept: options.kept ?? null,
    load: options.loadPolicy ?? (async () => null),
  });
  const streams = createDecisionStreams({
    feed: createDecisionFeed({ reader: log, catchUp: paced, clock }),
    clock,
    ...(options.heartbeatSeconds && { heartbeatSeconds: options.heartbeatSeconds }),
  });
  let inForce = keyring;
  const server = await createServer({
    logger: pino({ level: 'trace' }, { write: (line: string) => void lines.push(line) }),
    newId: randomUUIDv7,
    clock,
    observer: { onRefusal: () => {} },
    gateways: createGatewayEntryPoint({ noteRefusal: unused, headerBytesMax: 65_536 }),
    isDraining: () => false,
    keepAliveMs: 72_000,
    connectionsMax: 2_000,
    answerMsMax: 8_000,
  });
  const reads = {
    log: paced,
    logWhile: (isWanted: () => boolean) => ({
      ...paceReads(log, (piece) => run(piece, isWanted)),
      version: paced.version,
    }),
    bulk: paced,
    openParquet: createParquetEncoder,
    countSteps: createCountSteps({ reader: paced, run }),
    hashes: [hashes],
    streams,
    policies,
    telemetryProviders: ['stytch'],
  };
  await describeRoutes(server, { version: VERSION });
  await server.register(async (api) => {
    await protect(api, {
      keyring: () => inForce,
      clock,
      wrongKeysMax: 1000,
      hasTestIds: false,
      holdToLimits: () => ({ isGranted: true, rate: null, release: () => {} }),
      traffic: { onRefused: () => {}, onIdempotentRequest: () => {} },
      overload: () => null,
      readsConcurrent: options.readsConcurrent ?? 16,
      isStrained: options.isStrained ?? (() => false),
    });
    await registerDecisionReads(api, {
      reads,
      version: VERSION,
      clock,
      newId: randomUUIDv7,
      policyHistory: options.policyHistory ?? (() => []),
      reportOutcome: reportOutcome({ ...reads, clock, formatTime: toRfc3339, listeners: [] }),
    });
    await api.register(policyRoutes, { serve: { policy: policies.current, slots: [] } });
    await api.register(providersRoutes, { serve: { slots: [], circuitOf: () => 'closed' } });
  });
  t.teardown(async () => {
    streams.drain();
    await server.close();
  });
  const send = async (method: 'GET' | 'POST', url: string, headers: object, body?: unknown) => {
    const payload = body === undefined ? {} : { payload: JSON.stringify(body) };
    const response = await server.inject({ method, url, headers: { ...headers }, ...payload });
    const { statusCode: status, headers: received, body: text } = response;
    return {
      status,
      headers: received,
      text,
      json:
        /json/.test(String(received['content-type'])) &&
        text.startsWith('{') &&
        !text.trimEnd().includes('\n')
          ? JSON.parse(text)
          : null,
    };
  };
  return {
    log,
    hashes,
    logText: () => lines.join(''),
    drain: () => streams.drain(),
    withdrawKeys: () => {
      inForce = { ...keyring, find: () => null };
    },
    streams: () => streams.size,
    get: (url, headers = {}) => send('GET', url, { authorization: `Bearer ${KEYS.read}`, ...headers }),
    post: (url, body, key = KEYS.decide) =>
      send('POST', url, { authorization: `Bearer ${key}`, 'content-type': 'application/json' }, body),
    listen: async () => {
      await server.listen({ port: 0, host: '127.0.0.1' });
      return portOf(server.server.address());
    },
  };
}

const keyring = loadTestKeyring();

function loadTestKeyring() {
  const keys = (['decide', 'read'] as const).map((id) => ({
    id,
    sha256: hash('sha256', KEYS[id]),
    scopes: [id],
  }));
  const loaded = loadKeyring(JSON.stringify({ keys }));
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  return loaded.value;
}

function createHashes() {
  return {
    keyId: '0a1b2c3d',
    telemetry: createKeyedHash('a secret of tests', 'telemetry'),
    device: createKeyedHash('a secret of tests', 'device'),
    account: createKeyedHash('a secret of tests', 'account'),
    ip: createKeyedHash('a secret of tests', 'ip'),
    network: createKeyedHash('a secret of tests', 'ip'),
  };
}

function unused(): never {
  throw new Error('nothing is decided here');
}
