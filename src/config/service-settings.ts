import { z } from 'zod';
import { integer, type Settings } from '../platform/setting.ts';
import { ALERT_SETTINGS } from './alert-settings.ts';
import { idHashKeySchema, idHashKeysSchema } from './id-hash-keys.ts';
import { isSecureUrl } from './secure-url.ts';
import { WEBHOOK_SETTINGS } from './webhook-settings.ts';

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** Each of them costs every decision a few microseconds. */
const CANDIDATE_FILES_MAX = 8;

/**
 * The service's own variables. `DECISION_DEADLINE_MS` and the timeouts share the bounds of `deadline_ms` in a
 * request.
 */
export const SERVICE_SETTINGS = {
  host: {
    env: 'HOST',
    schema: z.string().min(1),
    default: '127.0.0.1',
    description: 'The address to listen on.',
  },
  port: {
    env: 'PORT',
    schema: integer(0, 65_535),
    default: '8080',
    description: 'The port to listen on; 0 takes a free one.',
  },
  logLevel: {
    env: 'LOG_LEVEL',
    schema: z.enum(LOG_LEVELS, `must be one of ${LOG_LEVELS.join(', ')}`),
    default: 'info',
    description: 'The least severe level that is logged.',
  },
  isDecisionLineWritten: {
    env: 'LOG_DECISIONS',
    schema: z.enum(['on', 'off'], 'must be on or off').transform((state) => state === 'on'),
    default: 'off',
    description:
      '`on` writes a line `decision.made` for each decision that is recorded too. Without a decision log (`DECISION_LOG=off`) it is always written.',
  },
  apiKeysFile: {
    env: 'API_KEYS_FILE',
    schema: z.string().min(1),
    description:
      'YAML file of API keys: `keys: [{id, sha256, scopes: [decide, read, review, admin, signal]}]`. The scope `test` stands alone. Only hashes are stored.',
  },
  hasTestIds: {
    env: 'TEST_IDS',
    schema: z.enum(['on', 'off'], 'must be on or off').transform((state) => state === 'on'),
    default: 'off',
    description:
      '`on` lets keys of the scope `test` ask for the answers to [test ids](api.md#test-ids), and for nothing else.',
  },
  idHashKey: {
    env: 'ID_HASH_KEY',
    isSecret: true,
    schema: idHashKeySchema,
    isOptional: true,
    description:
      'Secret for the keyed hashes of identifiers, at least 32 bytes without a comma; the same on all replicas. Required, or `ID_HASH_KEYS` in its place.',
  },
  idHashKeyList: {
    env: 'ID_HASH_KEYS',
    isSecret: true,
    schema: idHashKeysSchema,
    isOptional: true,
    description:
      'In place of `ID_HASH_KEY`: up to four such secrets with commas or line breaks between. The first is written with; what stands under the others is found too, until their retention has ended. See [changing the key](failure-modes.md#changing-the-hash-key).',
  },
  policyFile: {
    env: 'POLICY_FILE',
    schema: z.string().min(1),
    default: 'policies/default.yaml',
    description: 'The policy. Re-read when it changes; a broken one is refused and the last good one stays.',
  },
  policyCandidates: {
    env: 'POLICY_CANDIDATES',
    schema: z
      .string()
      .transform((text) => text.split(',').map((path) => path.trim()))
      .pipe(
        z
          .array(z.string().min(1, 'must name files, with commas between'))
          .max(CANDIDATE_FILES_MAX, `must name ${CANDIDATE_FILES_MAX} files at most`),
      ),
    isOptional: true,
    description:
      'Policies that judge each decision too, after it was answered, and never answer: one file, or several with commas between. What they come to is in the record, and counted by `GET /v1/stats?group_by=transition`. Re-read when they change; a broken one is refused, and keeps nothing from starting. See [candidates](policy.md#candidates).',
  },
  gatewayProfilesFile: {
    env: 'GATEWAY_PROFILES_FILE',
    schema: z.string().min(1),
    isOptional: true,
    description:
      'YAML file of gateway profiles, see [gateways](gateways/README.md). Re-read when it changes, like the policy. Without it there is the built-in `default` alone.',
  },
  geoipFiles: {
    env: 'GEOIP_FILE',
    schema: z
      .string()
      .transform((text) => text.split(',').map((path) => path.trim()))
      .pipe(z.array(z.string().min(1)).max(4)),
    isOptional: true,
    description:
      'File in the MaxMind format (`.mmdb`: country, city or ASN, of MaxMind, DB-IP or IPinfo), or several with commas between, that say where the address of a request is, for contradictions and `request.country`. Held in memory, re-read when it changes; a broken one is refused and the last good one stays. None comes with riskgate.',
  },
  publicUrl: {
    env: 'PUBLIC_URL',
    schema: z
      .string()
      .refine(isSecureUrl, 'must be an https:// URL without user, query and fragment (http:// on loopback)')
      .transform((url) => url.replace(/\/+$/, '')),
    isOptional: true,
    description:
      'The URL under which callers reach this service, as it is behind a proxy. With it `/.well-known/authzen-configuration` says where to ask by [AuthZEN](authzen.md).',
  },
  sharedSignalsFile: {
    env: 'SHARED_SIGNALS_FILE',
    schema: z.string().min(1),
    isOptional: true,
    description:
      'YAML file of [Shared Signals](shared-signals.md) streams: whose security event tokens are taken, and where they are polled for. Read at the start. Without it none are taken.',
  },
  sharedSignalsEntriesMax: {
    env: 'SHARED_SIGNALS_ENTRIES_MAX',
    schema: integer(1, 10_000_000),
    default: '200000',
    description:
      'The most shared signals that are remembered, about 120 bytes each; beyond it none are taken, and transmitters send them again.',
  },
  ...WEBHOOK_SETTINGS,
  ...ALERT_SETTINGS,
  grpcPort: {
    env: 'GRPC_PORT',
    schema: integer(0, 65_535),
    isOptional: true,
    description:
      'The port for `envoy.service.auth.v3.Authorization` over gRPC (h2c), on the same address; 0 takes a free one. Without it gRPC is off, and not loaded.',
  },
  gatewayHeaderBytesMax: {
    env: 'GATEWAY_HEADER_BYTES_MAX',
    schema: integer(16_384, 262_144),
    default: '65536',
    description:
      'The largest head of a request that gateways may ask with; a larger one is answered 503, and so is a larger message over gRPC. Every other route takes 16 KiB.',
  },
  keepAliveMs: {
    env: 'KEEP_ALIVE_TIMEOUT_MS',
    schema: integer(1_000, 7_200_000),
    default: '72000',
    description:
      'How long an HTTP connection may be idle. Keep it above the idle timeout of whatever stands in front, or requests meet a connection that is just being closed: `620000` for load balancers that keep idle connections for 600 s.',
  },
  connectionsMax: {
    env: 'CONNECTIONS_MAX',
    schema: integer(16, 1_000_000),
    default: '8192',
    description:
      'The most HTTP connections at once. When they run short the idle ones are closed first; beyond it new ones are refused.',
  },
  decisionDeadlineMs: {
    env: 'DECISION_DEADLINE_MS',
    schema: integer(50, 10_000),
    default: '1000',
    description: 'Every decision is answered within this time, whatever the upstreams do.',
  },
  drainDelayMs: {
    env: 'DRAIN_DELAY_MS',
    schema: integer(0, 20_000),
    default: '2000',
    description:
      'After SIGTERM `/readyz` says 503 for so long while requests are still taken and decided, so that load balancers can turn away first. Closing takes up to 6.8 s more: stay below the time after which the orchestrator kills. A second signal ends it at once.',
  },
  cacheEntriesMax: {
    env: 'CACHE_ENTRIES_MAX',
    schema: integer(1, 10_000_000),
    default: '50000',
    description: 'The most evidence the in-process cache holds.',
  },
  localCacheTtlMs: {
    env: 'CACHE_LOCAL_TTL_SECONDS',
    schema: integer(0, 3600).transform((seconds) => seconds * 1000),
    default: '5',
    description: 'With Redis: how long a process may use evidence without asking Redis again.',
  },
  redisTimeoutMs: {
    env: 'REDIS_TIMEOUT_MS',
    schema: integer(1, 10_000),
    default: '25',
    description:
      'The longest a decision waits for Redis. Evidence that is late is asked for upstream; custody that is late is unknown.',
  },
  custodyRetentionMs: {
    env: 'CUSTODY_RETENTION_SECONDS',
    schema: integer(60, 31_536_000).transform((seconds) => seconds * 1000),
    default: '86400',
    description:
      'A telemetry id stays bound to who used it first for at least so long after its latest use, and in any case until it expires.',
  },
  custodyEntriesMax: {
    env: 'CUSTODY_ENTRIES_MAX',
    schema: integer(1, 10_000_000),
    default: '200000',
    description:
      'Without Redis: the most telemetry ids that are kept bound. One that had to make room is unknown, never new.',
  },
  activityEntriesMax: {
    env: 'ACTIVITY_ENTRIES_MAX',
    schema: integer(1, 10_000_000),
    default: '50000',
    description:
      'Without Redis: of how many accounts, devices, addresses and visitors together activity is kept, about 1 kB each. One that had to make room is unknown, never new.',
  },
  listsFile: {
    env: 'LISTS_FILE',
    schema: z.string().min(1),
    isOptional: true,
    description:
      'Without Redis: the file in which this process alone keeps lists, so that a restart forgets nothing. Without it `lists.journal` in `DATA_DIR` where that is set, else memory.',
  },
  listsEntriesMax: {
    env: 'LISTS_ENTRIES_MAX',
    schema: integer(1, 10_000_000),
    default: '1000000',
    description: 'The most entries of all lists together; a million take about 90 MB of each process.',
  },
  idHashMemoEntriesMax: {
    env: 'ID_HASH_MEMO_ENTRIES_MAX',
    schema: integer(1, 20_000_000),
    isOptional: true,
    description:
      'The most ids whose keyed hashes are remembered, about 500 bytes each. Without it `CACHE_ENTRIES_MAX` and `CUSTODY_ENTRIES_MAX` together; fewer than there are ids in use cost up to 4 µs for each id and hash key.',
  },
  isMeasured: {
    env: 'METRICS',
    schema: z.enum(['on', 'off'], 'must be on or off').transform((state) => state === 'on'),
    default: 'on',
    description:
      'Prometheus metrics at `/metrics`, without an API key. `off` counts nothing and shows nothing.',
  },
  isDashboardServed: {
    env: 'DASHBOARD',
    schema: z.enum(['on', 'off'], 'must be on or off').transform((state) => state === 'on'),
    default: 'on',
    description: 'The page at `/dashboard`. It shows nothing without an API key of the scope `read`.',
  },
  inFlightMax: {
    env: 'MAX_IN_FLIGHT',
    schema: integer(1, 1_000_000),
    default: '4096',
    description: 'The most decisions that wait for evidence at once; more are refused with 503.',
  },
  readsConcurrent: {
    env: 'READS_CONCURRENT',
    schema: integer(1, 1_000),
    default: '16',
    description:
      'The most lists, details, counts and subjects that are answered from the decision log at once; more wait for a second at most, then are refused with 503. Exports and streams have bounds of their own.',
  },
  eventLoopDelayMaxMs: {
    env: 'EVENT_LOOP_DELAY_MAX_MS',
    schema: integer(0, 10_000).transform((ms) => (ms === 0 ? null : ms)),
    default: '200',
    description:
      'While the event loop stays later than this, for about a second and more, a growing share of decisions is refused with 503; 0 does not watch it.',
  },
  wrongKeysMax: {
    env: 'WRONG_KEYS_PER_MINUTE',
    schema: integer(1, 1_000_000),
    default: '100',
    description:
      'Requests without a right API key that one address (IPv6: one /64) may send in a minute before it is answered 429. Right keys are always taken.',
  },
  idempotencyTtlMs: {
    env: 'IDEMPOTENCY_TTL_SECONDS',
    schema: integer(1, 86_400).transform((seconds) => seconds * 1000),
    default: '86400',
    description:
      'How long the answer to a request with an Idempotency-Key is kept for its retries. A kept answer is given whatever has changed since.',
  },
  isInsecureAllowed: {
    env: 'ALLOW_INSECURE_START',
    schema: z.enum(['true', 'false'], 'must be true or false').transform((text) => text === 'true'),
    default: 'false',
    description:
      'For demos only: starts on an address that others can reach although secrets are well known or the key file is open to others.',
  },
} as const satisfies Settings;
