import { EMULATED_BROWSER } from '../src/providers/stytch/emulator-payloads.ts';
import { type LoadJob, SERIAL, TURN } from './load/job.ts';
import type { VariantId } from './options.ts';
import { toCerbosJob } from './peers/cerbos.ts';
import type { BenchProcess } from './processes.ts';

/** The key of a caller without limits, and of one with limits that no benchmark reaches. */
export const API_KEY = 'bench-key';
export const LIMITED_API_KEY = 'limited-bench-key';

/** One measured way of answering. */
export interface Variant {
  readonly id: VariantId;
  readonly title: string;
  /** Where its evidence must come from (`desc` in Server-Timing), or null for the echoes. */
  readonly origin: 'memory' | 'redis' | 'miss' | null;
  /** The most CPU time it should take as a multiple of bare Fastify; null without an aim. */
  readonly aim: number | null;
  /** Another variant, and the most CPU time as a multiple of that. */
  readonly against?: { readonly id: VariantId; readonly aim: number };
  /** How many subjects are asked about in turn; 512 where it is absent. */
  readonly subjects?: 'one' | 'many';
}

/** A variant whose server runs. */
export interface RunningVariant extends Variant {
  readonly server: BenchProcess;
  readonly port: number;
  /** Where the load goes when that is not `port`. */
  readonly loadPort?: number;
  /** The serial numbers of its subjects; a cold variant has those that were never used. */
  readonly serials: { readonly first: number; readonly count: number };
  /** A second process on the same Redis. */
  readonly twin?: { readonly server: BenchProcess; readonly port: number };
  /** Of the peer: what our service knew of a subject. */
  readonly peerSignals?: Readonly<Record<string, unknown>>;
  /** True for the service of the checkout that ours is compared with. */
  readonly isOther: boolean;
}

export const VARIANTS: readonly Variant[] = [
  { id: 'http', title: 'node:http echo', origin: null, aim: null },
  { id: 'fastify', title: 'bare Fastify echo', origin: null, aim: null },
  { id: 'unlogged', title: 'decide, warm in memory, no decision log', origin: 'memory', aim: null },
  {
    id: 'unlogged-redis',
    title: 'the same, custody only in Redis',
    origin: 'memory',
    aim: null,
  },
  { id: 'warm', title: 'decide, warm in memory', origin: 'memory', aim: 1.8 },
  { id: 'one', title: 'the same, one subject', origin: 'memory', aim: 1.8, subjects: 'one' },
  {
    id: 'many',
    title: 'the same, many subjects',
    origin: 'memory',
    aim: null,
    against: { id: 'one', aim: 1.15 },
    subjects: 'many',
  },
  { id: 'explain', title: 'the same, explain=full', origin: 'memory', aim: null },
  {
    id: 'rules-100',
    title: 'the same, 100 rules',
    origin: 'memory',
    aim: null,
    against: { id: 'warm', aim: 1.6 },
  },
  { id: 'rules-500', title: 'the same, 500 rules', origin: 'memory', aim: null },
  {
    id: 'lists',
    title: 'the same, 100,000 entries on lists',
    origin: 'memory',
    aim: null,
    against: { id: 'warm', aim: 1.1 },
  },
  {
    id: 'candidate',
    title: 'the same, one candidate',
    origin: 'memory',
    aim: null,
    against: { id: 'warm', aim: 1.05 },
  },
  {
    id: 'candidates-3',
    title: 'the same, three candidates',
    origin: 'memory',
    aim: null,
    against: { id: 'warm', aim: 1.12 },
  },
  {
    id: 'no-contradictions',
    title: 'the same, no rule on contradictions',
    origin: 'memory',
    aim: null,
  },
  { id: 'no-activity', title: 'the same, no rule on activity', origin: 'memory', aim: null },
  {
    id: 'activity',
    title: 'the same, six signals of activity',
    origin: 'memory',
    aim: null,
    against: { id: 'no-activity', aim: 1.15 },
  },
  {
    id: 'gateway',
    title: 'gateway route (nginx), warm in memory',
    origin: 'memory',
    aim: null,
    against: { id: 'warm', aim: 1.25 },
  },
  {
    id: 'grpc',
    title: 'gateway over gRPC (Envoy), warm in memory',
    origin: 'memory',
    aim: null,
    against: { id: 'warm', aim: 2.5 },
  },
  { id: 'limited', title: 'the same, caller with limits', origin: 'memory', aim: 2 },
  { id: 'log-stdout', title: 'the same, log on standard output, lossy', origin: 'memory', aim: null },
  { id: 'log-file', title: 'the same, log in a file, lossy', origin: 'memory', aim: null },
  { id: 'log-redis', title: 'the same, custody in Redis, log too, lossy', origin: 'memory', aim: null },
  { id: 'log-sqlite', title: 'the same, log in SQLite, lossy', origin: 'memory', aim: null },
  { id: 'log-postgres', title: 'the same, log in PostgreSQL, lossy', origin: 'memory', aim: null },
  { id: 'log-kafka', title: 'the same, log in Kafka, lossy', origin: 'memory', aim: null },
  { id: 'log-strict', title: 'the same, log in a file, strict', origin: 'memory', aim: null },
  { id: 'redis', title: 'decide, hits in Redis', origin: 'redis', aim: 2.2 },
  {
    id: 'redis-many',
    title: 'the same, many subjects',
    origin: 'redis',
    aim: 2.2,
    subjects: 'many',
  },
  { id: 'redis-no-activity', title: 'hits in Redis, no rule on activity', origin: 'redis', aim: null },
  {
    id: 'redis-activity',
    title: 'hits in Redis, six signals of activity',
    origin: 'redis',
    aim: null,
    against: { id: 'redis-no-activity', aim: 1.2 },
  },
  { id: 'replica', title: 'one of two processes on one Redis', origin: 'memory', aim: null },
  { id: 'cold', title: 'decide, cold', origin: 'miss', aim: null },
  { id: 'cerbos', title: 'Cerbos, told the evidence, decision log in a file', origin: null, aim: null },
];

/**
 * The number of ids that are repeated: more than connections, so that no two requests under way share an id,
 * and too many for the caches of the processor.
 */
export const WARM_IDS = { first: 0, count: 512 };
/** How long a provider takes in the cold variant. */
export const COLD_DELAY_MS = 20;

/**
 * The profiles of the gateway variants, in JSON, which is also YAML. They give the same facts as a caller of
 * /v1/decide.
 */
export const GATEWAY_PROFILES = JSON.stringify({
  profiles: { bench: { action: 'login', ip_header: 'X-Real-IP' } },
});
/** Of the one that the emulators know, so that nothing contradicts. */
const { ip: IP, userAgent: USER_AGENT } = EMULATED_BROWSER;

/**
 * The load of a variant: a login with everything that a caller usually knows. Each cold request has new ids,
 * like a new device.
 */
export function toLoadJob(variant: RunningVariant, connections: number, firstCold: number): LoadJob {
  const port = variant.loadPort ?? variant.port;
  if (variant.id === 'gateway') return toGatewayJob(port, connections);
  if (variant.id === 'grpc') return toGrpcJob(port, connections);
  if (variant.peerSignals !== undefined)
    return toCerbosJob(port, connections, variant.serials, variant.peerSignals);
  const isCold = variant.origin === 'miss';
  return {
    port,
    connections,
    method: 'POST',
    path: variant.id === 'explain' ? '/v1/decide?explain=full' : '/v1/decide',
    headers: {
      authorization: `Bearer ${variant.id === 'limited' ? LIMITED_API_KEY : API_KEY}`,
      'content-type': 'application/json',
    },
    body: toBody(isCold ? COLD_DELAY_MS : 0, SERIAL),
    serials: isCold ? { first: firstCold, count: null } : variant.serials,
    mustInclude: '"decision":"ALLOW"',
  };
}

const GATEWAY_TARGET = `/shop/item?turn=${TURN}`;

/**
 * The request that nginx sends for a page: the browser's own headers and those of the recipe. All questions
 * differ, so that each is counted and logged like a decision of the API.
 */
function toGatewayJob(port: number, connections: number): LoadJob {
  const id = `fault-slow-0-${SERIAL}`;
  return {
    port,
    connections,
    method: 'GET',
    path: '/v1/gateway/nginx/bench',
    headers: {
      'X-Riskgate-Key': API_KEY,
      'X-Original-Method': 'GET',
      'X-Original-URI': GATEWAY_TARGET,
      'X-Real-IP': '203.0.113.7',
      'X-Telemetry-ID': id,
      'X-Device-ID': id,
      'User-Agent': USER_AGENT,
      Accept: 'text/html,application/xhtml+xml',
      'Accept-Language': 'en',
      'Accept-Encoding': 'gzip, deflate, br',
    },
    body: '',
    serials: WARM_IDS,
    mustInclude: 'x-risk-decision: ALLOW',
  };
}

/** The same question from Envoy: its own data, the connection, and every header of the request. */
function toGrpcJob(port: number, connections: number): LoadJob {
  const id = `fault-slow-0-${SERIAL}`;
  const headers = {
    ':authority': 'shop.example',
    ':method': 'GET',
    ':path': GATEWAY_TARGET,
    ':scheme': 'https',
    'x-forwarded-proto': 'https',
    'x-request-id': '6b1f0d1c-3f0e-4a55-9b0d-7a1f6f0c2d11',
    'x-real-ip': '203.0.113.7',
    'x-telemetry-id': id,
    'x-device-id': id,
    'user-agent': USER_AGENT,
    accept: 'text/html,application/xhtml+xml',
    'accept-language': 'en',
    'accept-encoding': 'gzip, deflate, br',
  };
  const toPeer = (address: string, port_value: number) => ({
    address: { socket_address: { address, port_value } },
  });
  const attributes = {
    source: toPeer('203.0.113.7', 50_000),
    destination: toPeer('192.0.2.1', 443),
    request: {
      time: { seconds: 1_700_000_000, nanos: 500_000_000 },
      http: {
        id: '1234567890123456789',
        method: 'GET',
        headers,
        path: GATEWAY_TARGET,
        host: 'shop.example',
        scheme: 'https',
        protocol: 'HTTP/2',
      },
    },
    context_extensions: { profile: 'bench' },
    metadata_context: {},
  };
  return {
    port,
    connections,
    method: 'GRPC',
    path: '',
    headers: { 'x-riskgate-key': API_KEY },
    body: JSON.stringify({ attributes }),
    serials: WARM_IDS,
    // Between name and value are the tag of the second field of a message, and its length.
    mustInclude: 'x-risk-decision\u0012\u0005ALLOW',
  };
}

/** Asks one provider directly, to measure a round trip to the emulators on this machine. */
export function toDirectJob(port: number, connections: number, firstCold: number): LoadJob {
  return {
    port,
    connections,
    method: 'GET',
    path: `/v1/devices/fault-slow-${COLD_DELAY_MS}-${SERIAL}/fingerprint`,
    headers: { authorization: 'Bearer emulated' },
    body: '',
    serials: { first: firstCold, count: null },
    mustInclude: '"identifiers"',
  };
}

/** A request body with ids that every emulator answers as good after `delayMs`. */
export function toBody(delayMs: number, serial: string): string {
  return JSON.stringify({
    telemetry_id: `fault-slow-${delayMs}-${serial}`,
    device_id: `fault-slow-${delayMs}-${serial}`,
    action: 'login',
    account_id: `acct-${serial}`,
    ip: IP,
    user_agent: USER_AGENT,
  });
}
