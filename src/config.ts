import { z } from 'zod';

/** One environment variable: how it parses, what it means, and its default as it would be written. */
export interface SettingDeclaration {
  readonly env: string;
  readonly schema: z.ZodType;
  readonly description: string;
  readonly default?: string;
  readonly isOptional?: boolean;
  readonly isCredential?: boolean;
}

/** The part of a provider definition that configuration depends on. */
export interface ProviderDeclaration {
  readonly id: string;
  readonly title: string;
  readonly settings: Readonly<Record<string, SettingDeclaration>>;
  readonly ttlSeconds: Readonly<Record<string, number>>;
}

/** What the environment says of one provider. */
export interface ProviderConfig {
  readonly id: string;
  readonly isEnabled: boolean;
  readonly settings: Readonly<Record<string, string | number | undefined>>;
  /** Bound of one call including its retry. */
  readonly timeoutMs: number;
  /** Calls under way at once, and calls that may wait for one of them to end. */
  readonly concurrencyMax: number;
  readonly queueMax: number;
  /** By settled outcome; 0 means not cached. */
  readonly ttlMs: Readonly<Record<string, number>>;
}

/** The whole configuration, parsed and frozen. */
export interface Config {
  readonly host: string;
  readonly port: number;
  readonly logLevel: string;
  readonly decisionDeadlineMs: number;
  readonly policyFile: string;
  readonly apiKeysFile: string;
  readonly idHashKey: string;
  readonly redisUrl: string | null;
  readonly cacheEntriesMax: number;
  readonly localCacheTtlMs: number;
  readonly redisTimeoutMs: number;
  readonly custodyRetentionMs: number;
  readonly custodyEntriesMax: number;
  /** Whether anything is counted, and shown at /metrics. */
  readonly isMeasured: boolean;
  /** The base URL of a collector of traces (OTLP over HTTP); null exports none. */
  readonly traceEndpoint: string | null;
  /** Of the traces that no caller began, the share that is recorded: 0 to 1. */
  readonly traceShare: number;
  readonly providers: readonly ProviderConfig[];
}

export type ConfigResult =
  | { readonly ok: true; readonly value: Config }
  | { readonly ok: false; readonly mistakes: readonly string[] };

type Environment = Readonly<Record<string, string | undefined>>;

const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d+$/, 'is a whole number')
    .transform(Number)
    .pipe(z.number().min(min, `is at least ${min}`).max(max, `is at most ${max}`));

const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;

/** The service's own variables. `DECISION_DEADLINE_MS` and the timeouts share the bounds of `deadline_ms` in a request. */
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
    schema: z.enum(LOG_LEVELS, `is one of ${LOG_LEVELS.join(', ')}`),
    default: 'info',
    description: 'The least severe level that is logged.',
  },
  apiKeysFile: {
    env: 'API_KEYS_FILE',
    schema: z.string().min(1),
    description:
      'YAML file of API keys: `keys: [{id, sha256, scopes: [decide, read, admin]}]`. Only hashes are stored.',
  },
  idHashKey: {
    env: 'ID_HASH_KEY',
    schema: z.string().refine((key) => Buffer.byteLength(key) >= 32, 'is at least 32 bytes long'),
    description: 'Secret for the keyed hashes of identifiers, at least 32 bytes; the same on all replicas.',
  },
  policyFile: {
    env: 'POLICY_FILE',
    schema: z.string().min(1),
    default: 'policies/default.yaml',
    description: 'The policy. Re-read when it changes; a broken one is refused and the last good one stays.',
  },
  decisionDeadlineMs: {
    env: 'DECISION_DEADLINE_MS',
    schema: integer(50, 10_000),
    default: '1000',
    description: 'Every decision is answered within this time, whatever the upstreams do.',
  },
  redisUrl: {
    env: 'REDIS_URL',
    schema: z.url({ protocol: /^rediss?$/, error: 'is a redis:// or rediss:// URL' }),
    isOptional: true,
    description: 'Redis that the replicas share evidence through. Without it each process caches for itself.',
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
  isMeasured: {
    env: 'METRICS',
    schema: z.enum(['on', 'off'], 'is on or off').transform((state) => state === 'on'),
    default: 'on',
    description:
      'Prometheus metrics at `/metrics`, without an API key. `off` counts nothing and shows nothing.',
  },
  traceEndpoint: {
    env: 'OTEL_EXPORTER_OTLP_ENDPOINT',
    schema: z.url({ protocol: /^https?$/, error: 'is an http:// or https:// URL' }),
    isOptional: true,
    description:
      'Where traces are sent (OTLP over HTTP, `/v1/traces` is added). Without it there are none. The exporter also reads `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_SERVICE_NAME` and `OTEL_RESOURCE_ATTRIBUTES`.',
  },
  traceShare: {
    env: 'OTEL_TRACES_SAMPLER_ARG',
    schema: z
      .string()
      .regex(/^(0(\.\d+)?|1(\.0+)?)$/, 'is a number from 0 to 1')
      .transform(Number),
    default: '1',
    description:
      'The share of traces that is recorded. A caller whose `traceparent` says so decides for itself.',
  },
} as const satisfies Record<string, SettingDeclaration>;

/** The variables that every provider has beside its own: a timeout, the bounds of its bulkhead, and a time to live for each outcome that is cached. */
export function commonSettings(provider: ProviderDeclaration): readonly SettingDeclaration[] {
  const prefix = provider.id.toUpperCase();
  const timeout: SettingDeclaration = {
    env: `${prefix}_TIMEOUT_MS`,
    schema: integer(10, 10_000),
    default: '1000',
    description: `The longest one call to ${provider.title} may take, its retry included.`,
  };
  const concurrency: SettingDeclaration = {
    env: `${prefix}_CONCURRENCY_MAX`,
    schema: integer(1, 4_096),
    default: '128',
    description: `The most calls to ${provider.title} at once, each on a connection of its own.`,
  };
  const queue: SettingDeclaration = {
    env: `${prefix}_QUEUE_MAX`,
    schema: integer(0, 65_536),
    default: '1024',
    description: `The most calls to ${provider.title} that wait for one of these to end; beyond it the outcome is \`unavailable\` at once.`,
  };
  const ttls = Object.entries(provider.ttlSeconds).map(([outcome, seconds]) => ({
    env: `${prefix}_${outcome.toUpperCase()}_TTL_SECONDS`,
    schema: integer(0, 86_400),
    default: String(seconds),
    description: `How long an answer \`${outcome}\` of ${provider.title} is cached; 0 is not at all.`,
  }));
  return [timeout, concurrency, queue, ...ttls];
}

/** The files that the configuration names; one is undefined where its own variable is missing. */
export interface ConfigFiles {
  readonly policyFile: string | undefined;
  readonly apiKeysFile: string | undefined;
}

/** Reads the configuration from `env`, or returns every mistake in it at once, one line each, with those that `checkFiles` finds in the files it names. An empty variable counts as absent. A provider is enabled by its credentials; no provider at all is a mistake. */
export function loadConfig(
  env: Environment,
  providers: readonly ProviderDeclaration[],
  checkFiles: (files: ConfigFiles) => readonly string[] = () => [],
): ConfigResult {
  const mistakes: string[] = [];
  const own = Object.fromEntries(
    Object.entries(SERVICE_SETTINGS).map(([name, setting]) => [name, read(env, setting, mistakes)]),
  );
  const configs = providers.map((provider) => readProvider(env, provider, mistakes));
  if (!configs.some((config) => config.isEnabled)) mistakes.push(noProviderMistake(providers));
  mistakes.push(...checkFiles(own as unknown as ConfigFiles));
  if (mistakes.length > 0) return { ok: false, mistakes };
  const value = {
    ...own,
    redisUrl: own['redisUrl'] ?? null,
    traceEndpoint: own['traceEndpoint'] ?? null,
    providers: configs,
  } as unknown as Config;
  return { ok: true, value: deepFreeze(value) };
}

function readProvider(env: Environment, provider: ProviderDeclaration, mistakes: string[]): ProviderConfig {
  const settings = Object.entries(provider.settings);
  const isEnabled = settings.some(([, { isCredential, env: name }]) => isCredential && env[name]);
  // A disabled provider's other variables are still parsed, so that a wrong one is found before it is needed.
  const parsed = settings.map(([name, setting]) => [
    name,
    read(env, isEnabled ? setting : { ...setting, isOptional: true }, mistakes),
  ]);
  const [timeoutMs, concurrencyMax, queueMax, ...ttls] = commonSettings(provider).map((setting) =>
    read(env, setting, mistakes),
  );
  const ttlMs = Object.keys(provider.ttlSeconds).map((outcome, place) => [
    outcome,
    Number(ttls[place]) * 1000,
  ]);
  return {
    id: provider.id,
    isEnabled,
    settings: Object.fromEntries(parsed),
    timeoutMs: Number(timeoutMs),
    concurrencyMax: Number(concurrencyMax),
    queueMax: Number(queueMax),
    ttlMs: Object.fromEntries(ttlMs),
  };
}

function read(env: Environment, setting: SettingDeclaration, mistakes: string[]): unknown {
  const text = env[setting.env] || setting.default;
  if (text === undefined) {
    if (!setting.isOptional) mistakes.push(`${setting.env} is missing: ${setting.description}`);
    return undefined;
  }
  const parsed = setting.schema.safeParse(text);
  if (parsed.success) return parsed.data;
  // The value itself is never repeated: it may be a secret.
  mistakes.push(`${setting.env} ${parsed.error.issues.map((issue) => issue.message).join('; ')}`);
  return undefined;
}

function noProviderMistake(providers: readonly ProviderDeclaration[]): string {
  const credentials = providers.map(({ settings }) =>
    Object.values(settings)
      .filter(({ isCredential }) => isCredential)
      .map(({ env }) => env)
      .join(' and '),
  );
  return `no provider is enabled: set ${credentials.join(', or ')}`;
}

function deepFreeze<Value extends object>(value: Value): Value {
  for (const inner of Object.values(value))
    if (typeof inner === 'object' && inner !== null) deepFreeze(inner);
  return Object.freeze(value);
}
