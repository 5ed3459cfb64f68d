import {
  DECISION_LOG_SETTINGS,
  type DecisionLogConfig,
  findDecisionLogMistakes,
} from './decision-log-settings.ts';
import { withIdHashKeys } from './id-hash-keys.ts';
import { PROXY_SETTINGS, withLowerCaseProxies } from './proxy-settings.ts';
import { findRedisMistakes } from './redis-mistakes.ts';
import {
  REDIS_SETTINGS,
  type RedisConfig,
  type RedisTlsConfig,
  type RedisValues,
  toRedisConfig,
} from './redis-settings.ts';
import { type ReadSecret, readSecretFiles, secretFileSettings, UNREAD } from './secret-files.ts';
import { findServiceLinks, withoutServiceLinks } from './service-links.ts';
import { integer, SERVICE_SETTINGS, type SettingDeclaration } from './service-settings.ts';
import { type IgnoredVariable, readTraces, TRACE_SETTINGS, type TraceConfig } from './trace-settings.ts';

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
export interface Config extends DecisionLogConfig {
  readonly host: string;
  readonly port: number;
  readonly logLevel: string;
  /** Of one request, on the routes of gateways. */
  readonly gatewayHeaderBytesMax: number;
  readonly keepAliveMs: number;
  readonly connectionsMax: number;
  readonly decisionDeadlineMs: number;
  /** How long a process that was told to stop goes on taking requests. */
  readonly drainDelayMs: number;
  readonly policyFile: string;
  readonly apiKeysFile: string;
  /** Null has the built-in profile alone. */
  readonly gatewayProfilesFile: string | null;
  /** Null does not speak gRPC; 0 takes a free port. */
  readonly grpcPort: number | null;
  /** At least one: the first is written with, all are looked up. */
  readonly idHashKeys: readonly string[];
  /** Null keeps everything in this process. */
  readonly redis: RedisConfig | null;
  readonly cacheEntriesMax: number;
  readonly localCacheTtlMs: number;
  readonly redisTimeoutMs: number;
  readonly custodyRetentionMs: number;
  readonly custodyEntriesMax: number;
  /** Whether anything is counted, and shown at /metrics. */
  readonly isMeasured: boolean;
  /** Whether /dashboard is there. */
  readonly isDashboardServed: boolean;
  /** Each null where there is none. */
  readonly proxy: {
    readonly http: string | null;
    readonly https: string | null;
    readonly except: string | null;
  };
  /** Null exports no traces. */
  readonly traces: TraceConfig | null;
  /** Variables that are set and not obeyed. */
  readonly ignored: readonly IgnoredVariable[];
  readonly inFlightMax: number;
  /** Null does not watch the event loop. */
  readonly eventLoopDelayMaxMs: number | null;
  readonly wrongKeysMax: number;
  readonly idempotencyTtlMs: number;
  readonly isInsecureAllowed: boolean;
  readonly providers: readonly ProviderConfig[];
}

/** The configuration, or every mistake in it at once. */
export type ConfigResult =
  | { readonly ok: true; readonly value: Config }
  | { readonly ok: false; readonly mistakes: readonly string[] };

type Environment = Readonly<Record<string, string | undefined>>;

/** The variables of the service, by the fields of Config. */
export const OWN_SETTINGS = { ...SERVICE_SETTINGS, ...DECISION_LOG_SETTINGS } as const;

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

/** The files that the configuration names, and what else decides whether they will do; one is undefined where its own variable is missing or wrong. */
export interface ConfigFiles {
  readonly policyFile: string | undefined;
  readonly apiKeysFile: string | undefined;
  readonly gatewayProfilesFile: string | undefined;
  readonly host: string | undefined;
  readonly idHashKeys: readonly string[] | undefined;
  readonly isInsecureAllowed: boolean | undefined;
  /** Null without TLS, or where the Redis variables have mistakes of their own. */
  readonly redisTls: RedisTlsConfig | null;
  /** What the decision log is written to; anything else is not opened. */
  readonly decisionLogFile?: string | undefined;
  readonly decisionLogSinks?: readonly string[] | undefined;
}

/** Reads the configuration from `env`, or returns every mistake in it at once, one line each, with those that `checkFiles` finds in the files it names and those of files that hold secrets, which `readSecret` reads. An empty variable counts as absent. A provider is enabled by its credentials; no provider at all is a mistake. */
export function loadConfig(
  given: Environment,
  providers: readonly ProviderDeclaration[],
  checkFiles: (files: ConfigFiles) => readonly string[] = () => [],
  readSecret: ReadSecret = readNoSecret,
): ConfigResult {
  const { env, mistakes: unread } = readSecretFiles(
    withLowerCaseProxies(withoutServiceLinks(given)),
    allSettings(providers),
    readSecret,
  );
  const mistakes: string[] = [...unread];
  const ignored: IgnoredVariable[] = findLinkedVariables(given, providers);
  const traces = readTraces(
    env,
    (mistake) => mistakes.push(mistake),
    (variable) => ignored.push(variable),
  );
  const settings = Object.fromEntries(
    Object.entries(OWN_SETTINGS).map(([name, setting]) => [name, read(env, setting, mistakes)]),
  );
  const own = withIdHashKeys(settings, env, mistakes);
  const proxy = Object.fromEntries(
    Object.entries(PROXY_SETTINGS).map(([name, setting]) => [name, read(env, setting, mistakes) ?? null]),
  );
  const redis = readRedis(env, mistakes);
  const configs = providers.map((provider) => readProvider(env, provider, mistakes));
  if (!configs.some((config) => config.isEnabled)) mistakes.push(noProviderMistake(providers));
  const files = { ...own, redisTls: redis?.tls ?? null };
  mistakes.push(...findDecisionLogMistakes({ ...own, hasRedis: isRedisNamed(env) }));
  mistakes.push(...checkFiles(files as unknown as ConfigFiles));
  if (mistakes.length > 0) return { ok: false, mistakes };
  const value = {
    ...own,
    redis,
    gatewayProfilesFile: own['gatewayProfilesFile'] ?? null,
    grpcPort: own['grpcPort'] ?? null,
    traces,
    proxy,
    ignored,
    decisionLogFile: own['decisionLogFile'] ?? null,
    providers: configs,
  } as unknown as Config;
  return { ok: true, value: deepFreeze(value) };
}

/** For callers who have no files: a secret in one is a mistake, and not ignored. */
function readNoSecret(path: string): ReturnType<ReadSecret> {
  return { ok: false, mistakes: [`${path}: files are not read here`] };
}

/** Variables of ours that a service in the same namespace has set. */
function findLinkedVariables(env: Environment, providers: readonly ProviderDeclaration[]): IgnoredVariable[] {
  const links = findServiceLinks(env);
  const reason = 'is a link to a Kubernetes service of that name; set enableServiceLinks: false';
  return allSettings(providers).flatMap(({ env: variable }) =>
    links.has(variable) ? [{ variable, reason }] : [],
  );
}

/** Every variable that is read, of the service and of all providers. */
export function allSettings(providers: readonly ProviderDeclaration[]): readonly SettingDeclaration[] {
  const ofProviders = providers.flatMap((provider) => [
    ...Object.values(provider.settings),
    ...commonSettings(provider),
  ]);
  const all: SettingDeclaration[] = [
    ...Object.values(OWN_SETTINGS),
    ...Object.values(REDIS_SETTINGS),
    ...Object.values(TRACE_SETTINGS),
    ...Object.values(PROXY_SETTINGS),
    ...ofProviders,
  ];
  return [...all, ...secretFileSettings(all)];
}

/** True also where the variables of that Redis have mistakes, which are said elsewhere. */
function isRedisNamed(env: Environment): boolean {
  return [REDIS_SETTINGS.url, REDIS_SETTINGS.sentinels, REDIS_SETTINGS.nodes].some(
    ({ env: name }) => env[name],
  );
}

function readRedis(env: Environment, mistakes: string[]): RedisConfig | null {
  const found: string[] = [];
  const entries = Object.entries(REDIS_SETTINGS).map(([name, setting]) => [name, read(env, setting, found)]);
  const values = Object.fromEntries(entries) as RedisValues;
  const hasTls = values.isTls === true || /^rediss:/i.test(env[REDIS_SETTINGS.url.env] ?? '');
  found.push(...findRedisMistakes((name) => Boolean(env[REDIS_SETTINGS[name].env]), hasTls));
  mistakes.push(...found);
  return found.length === 0 ? toRedisConfig(values) : null;
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
  if (text === UNREAD) return undefined;
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
