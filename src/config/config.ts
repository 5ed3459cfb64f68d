import type { Result } from '../platform/result.ts';
import type { Setting } from '../platform/setting.ts';
import {
  allDecisionLogSettings,
  type DecisionLogConfig,
  readDecisionLog,
  type SinkConfig,
  type SinkDeclaration,
} from './decision-log-settings.ts';
import { chooseIdHashKeys } from './id-hash-keys.ts';
import { OIDC_SETTINGS, type OidcConfig, readOidc } from './oidc-settings.ts';
import {
  commonSettings,
  isProviderEnabled,
  type ProviderConfig,
  type ProviderDeclaration,
  readProvider,
} from './provider-settings.ts';
import { PROXY_SETTINGS, withLowerCaseProxies } from './proxy-settings.ts';
import { isRedisNamed, readRedis } from './read-redis.ts';
import { type ConfigValues, isComplete, type ReadValues, readSettings } from './read-settings.ts';
import { REDIS_SETTINGS, type RedisConfig, type RedisTlsConfig } from './redis-settings.ts';
import { type ReadSecret, readSecretFiles, secretFileSettings } from './secret-files.ts';
import { findServiceLinks, withoutServiceLinks } from './service-links.ts';
import { SERVICE_SETTINGS } from './service-settings.ts';
import { type IgnoredVariable, readTraces, TRACE_SETTINGS, type TraceConfig } from './trace-settings.ts';

/** What plug-ins declare to the configuration. */
export interface PlugInDeclarations {
  readonly providers: readonly ProviderDeclaration[];
  /** Of the decision log. */
  readonly sinks: readonly SinkDeclaration[];
}

/** The whole configuration, parsed and frozen. What a field means is described where it is declared. */
export interface Config extends ConfigValues<OwnSettings> {
  /** At least one: the first is written with, all are looked up. */
  readonly idHashKeys: readonly string[];
  /** Null keeps everything in this process. */
  readonly redis: RedisConfig | null;
  readonly decisionLog: DecisionLogConfig;
  /** Each null where there is none. */
  readonly proxy: ConfigValues<typeof PROXY_SETTINGS>;
  /** Null: people sign in with API keys alone. */
  readonly oidc: OidcConfig | null;
  /** Null exports no traces. */
  readonly traces: TraceConfig | null;
  /** Variables that are set and not obeyed. */
  readonly ignored: readonly IgnoredVariable[];
  readonly providers: readonly ProviderConfig[];
}

type Environment = Readonly<Record<string, string | undefined>>;

/** Without the two variables that give the hash keys, of which one list is made. */
type OwnSettings = Omit<typeof SERVICE_SETTINGS, 'idHashKey' | 'idHashKeyList'>;

/**
 * The files that the configuration names, and what else decides whether they will do; one is undefined where
 * its own variable is missing or wrong.
 */
export interface ConfigFiles
  extends Pick<
    ReadValues<OwnSettings>,
    | 'policyFile'
    | 'apiKeysFile'
    | 'gatewayProfilesFile'
    | 'sharedSignalsFile'
    | 'webhooksFile'
    | 'alertsFile'
    | 'geoipFiles'
    | 'host'
    | 'isInsecureAllowed'
  > {
  readonly idHashKeys: readonly string[] | undefined;
  /** Null without TLS, or where the Redis variables have mistakes of their own. */
  readonly redisTls: RedisTlsConfig | null;
  /** Of the decision log; those whose own variables have no mistakes. */
  readonly sinks: readonly SinkConfig[];
}

/**
 * Reads the configuration from `env`, or returns every mistake in it at once, one line each, with those that
 * `checkFiles` finds in the files it names and those of files that hold secrets, which `readSecret` reads. An
 * empty variable counts as absent. A provider is enabled by its credentials; no provider at all is a mistake.
 */
export function loadConfig(
  given: Environment,
  plugIns: PlugInDeclarations,
  checkFiles: (files: ConfigFiles) => readonly string[] = () => [],
  readSecret: ReadSecret = readNoSecret,
): Result<Config> {
  const { env, mistakes: unread } = readSecretFiles(
    withLowerCaseProxies(withoutServiceLinks(given)),
    allSettings(plugIns),
    readSecret,
  );
  const mistakes: string[] = [...unread];
  const ignored: IgnoredVariable[] = findLinkedVariables(given, plugIns);
  const traces = readTraces(
    env,
    (mistake) => mistakes.push(mistake),
    (variable) => ignored.push(variable),
  );
  const { idHashKey, idHashKeyList, ...own } = readSettings(env, SERVICE_SETTINGS, mistakes);
  const idHashKeys = chooseIdHashKeys({ idHashKey, idHashKeyList }, env, mistakes);
  const proxy = readSettings(env, PROXY_SETTINGS, mistakes);
  const oidc = readOidc(env, own, mistakes);
  const redis = readRedis(env, mistakes);
  const providers = readProviders(env, plugIns.providers, mistakes);
  const { config: decisionLog, sinks } = readDecisionLog(env, plugIns.sinks, isRedisNamed(env), mistakes);
  mistakes.push(...checkFiles({ ...own, idHashKeys, redisTls: redis?.tls ?? null, sinks }));
  if (mistakes.length > 0 || idHashKeys === undefined || decisionLog === null) return { ok: false, mistakes };
  if (!isComplete<OwnSettings>(own) || !isComplete(proxy)) return { ok: false, mistakes };
  const value = { ...own, idHashKeys, oidc, redis, decisionLog, proxy, traces, ignored, providers };
  return { ok: true, value: deepFreeze(value) };
}

function readProviders(
  env: Environment,
  declared: readonly ProviderDeclaration[],
  mistakes: string[],
): readonly ProviderConfig[] {
  const providers = declared.map((provider) => readProvider(env, provider, mistakes));
  if (!declared.some((provider) => isProviderEnabled(env, provider)))
    mistakes.push(noProviderMistake(declared));
  return providers.filter((provider) => provider !== null);
}

/** For callers who have no files: a secret in one is a mistake, and not ignored. */
function readNoSecret(path: string): ReturnType<ReadSecret> {
  return { ok: false, mistakes: [`${path}: files are not read here`] };
}

/** Variables of ours that a service in the same namespace has set. */
function findLinkedVariables(env: Environment, plugIns: PlugInDeclarations): IgnoredVariable[] {
  const links = findServiceLinks(env);
  const reason = 'is a link to a Kubernetes service of that name; set enableServiceLinks: false';
  return allSettings(plugIns).flatMap(({ env: variable }) =>
    links.has(variable) ? [{ variable, reason }] : [],
  );
}

/** Every variable that is read, of the service and of all plug-ins. */
export function allSettings({ providers, sinks }: PlugInDeclarations): readonly Setting[] {
  const ofProviders = providers.flatMap((provider) => [
    ...Object.values(provider.settings),
    ...commonSettings(provider),
  ]);
  const all: Setting[] = [
    ...Object.values(SERVICE_SETTINGS),
    ...Object.values(OIDC_SETTINGS),
    ...allDecisionLogSettings(sinks),
    ...Object.values(REDIS_SETTINGS),
    ...Object.values(TRACE_SETTINGS),
    ...Object.values(PROXY_SETTINGS),
    ...ofProviders,
  ];
  return [...all, ...secretFileSettings(all)];
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
