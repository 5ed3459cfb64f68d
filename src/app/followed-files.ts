import type { Logger } from 'pino';
import type { Config, ConfigFiles } from '../config/config.ts';
import { SERVICE_SETTINGS } from '../config/service-settings.ts';
import type { ReferenceData } from '../domain/contradictions/reference-data.ts';
import { type CompiledPolicy, compileInSteps } from '../domain/policy/compile.ts';
import { BUILT_IN_PROFILES, createProfiles } from '../gateways/load-profiles.ts';
import type { GatewayProfiles } from '../gateways/profile.ts';
import { createKeyring, type Keyring } from '../http/callers/api-keys.ts';
import { findExposures, isLoopback } from '../platform/exposure.ts';
import { compileLinearPattern } from '../platform/linear-pattern.ts';
import { type FileStatus, followFile, type ReloadableFile } from '../platform/reloadable-file.ts';
import type { Result } from '../platform/result.ts';
import { runInPieces } from '../platform/run-in-pieces.ts';
import type { ProviderDefinition } from '../providers/definition.ts';
import type { SinkDefinition } from '../stores/decision-log/definition.ts';
import { type CheckedFiles, checkFile, type FileKind, readPolicy } from './check-file.ts';
import { createFileChecker } from './file-checker.ts';
import { checkGeoipFiles, followGeoip } from './geoip-files.ts';
import { checkTlsFiles } from './redis-target.ts';
import { createReferenceData } from './reference-data.ts';
import { countriesOfTimeZone } from './time-zone-countries.ts';

/**
 * Every mistake in the files that a configuration names, and everything that must not be reachable from other
 * machines.
 */
export function checkFiles(
  providers: readonly ProviderDefinition[],
  sinks: readonly SinkDefinition[],
): (files: ConfigFiles) => readonly string[] {
  return ({
    policyFile,
    apiKeysFile,
    gatewayProfilesFile,
    geoipFiles,
    host = '',
    idHashKeys = [],
    isInsecureAllowed = false,
    redisTls,
    sinks: configs,
  }) => {
    const isExposed = isExposedBy({ host, isInsecureAllowed });
    const mistakesIn = (kind: FileKind, path: string | null | undefined): readonly string[] => {
      const result =
        path === null || path === undefined ? null : checkFile({ kind, path, isExposed }, providers);
      if (result === null || result.ok) return [];
      return result.mistakes.map((mistake) => `${SERVICE_SETTINGS[SETTINGS[kind]].env} ${mistake}`);
    };
    const mistakes = [
      ...mistakesIn('policy', policyFile),
      ...mistakesIn('api_keys', apiKeysFile),
      ...mistakesIn('gateway_profiles', gatewayProfilesFile),
      ...checkGeoipFiles(geoipFiles ?? []).map((mistake) => `${SERVICE_SETTINGS.geoipFiles.env} ${mistake}`),
      ...checkTlsFiles(redisTls),
      ...checkNamedSinks(sinks, configs),
    ];
    if (!isExposed) return mistakes;
    return [...mistakes, ...findExposures({ host, secrets: idHashKeys })];
  };
}

function checkNamedSinks(sinks: readonly SinkDefinition[], configs: ConfigFiles['sinks']): readonly string[] {
  return sinks.flatMap((sink) => {
    const config = configs.find(({ id, isNamed }) => id === sink.id && isNamed);
    return config === undefined ? [] : sink.check(config.settings);
  });
}

/** The settings that name the files. */
const SETTINGS = {
  policy: 'policyFile',
  api_keys: 'apiKeysFile',
  gateway_profiles: 'gatewayProfilesFile',
} as const satisfies Record<FileKind, keyof typeof SERVICE_SETTINGS>;

/** Where the service listens, and whether it is a demo. */
type Exposure = Pick<Config, 'host' | 'isInsecureAllowed'>;

function isExposedBy({ host, isInsecureAllowed }: Exposure): boolean {
  return !isInsecureAllowed && !isLoopback(host);
}

/** The files in force, each following its file. */
export interface FollowedFiles {
  policy(): CompiledPolicy;
  keyring(): Keyring;
  /** The built-in one alone where no file is named. */
  profiles(): GatewayProfiles;
  /** How each file is that is followed. */
  statuses(): readonly FollowedStatus[];
  close(): void;
}

interface FollowedStatus extends FileStatus {
  readonly file: FileKind | 'geoip';
}

interface FollowFilesOptions {
  readonly config: Exposure & Pick<Config, 'policyFile' | 'apiKeysFile' | 'gatewayProfilesFile'>;
  readonly providers: readonly ProviderDefinition[];
  readonly logger: Logger;
  readonly nowMs: () => number;
}

/** Loads and follows the files that the configuration names. Throws when one cannot be used at first. */
function followFiles(options: FollowFilesOptions): FollowedFiles {
  const { config, providers, logger } = options;
  const warn = (assertions: readonly string[]) => {
    if (assertions.length > 0)
      logger.warn({ event: 'policy.unproven', assertions }, 'what the policy never does could not be proven');
  };
  const policy = follow(options, {
    kind: 'policy',
    path: config.policyFile,
    loadFirst: () => readPolicy(config.policyFile, providers, warn),
    build: (checked) => {
      warn(checked.unproven);
      return compileLater(checked, providers);
    },
    describe: ({ id, hash }) => ({ policy: id, hash }),
  });
  const keyring = followPlain(options, {
    kind: 'api_keys',
    path: config.apiKeysFile,
    build: createKeyring,
    describe: ({ size }) => ({ keys: size }),
  });
  const { gatewayProfilesFile } = config;
  const profiles =
    gatewayProfilesFile === null
      ? null
      : followPlain(options, {
          kind: 'gateway_profiles',
          path: gatewayProfilesFile,
          build: createProfiles,
          describe: ({ byName }: GatewayProfiles) => ({ profiles: byName.size }),
        });
  return {
    policy: policy.current,
    keyring: keyring.current,
    profiles: profiles === null ? () => BUILT_IN_PROFILES : profiles.current,
    statuses: () => [
      { file: 'policy', ...policy.status() },
      { file: 'api_keys', ...keyring.status() },
      ...(profiles === null ? [] : [{ file: 'gateway_profiles' as const, ...profiles.status() }]),
    ],
    close: () => {
      for (const file of [policy, keyring, profiles]) file?.close();
    },
  };
}

/**
 * Those of `followFiles`, and what is known of the world with the files of addresses. Rejects when one cannot
 * be used at first.
 */
export async function followAllFiles(
  options: FollowFilesOptions & { readonly config: Pick<Config, 'geoipFiles'> },
): Promise<FollowedFiles & { readonly reference: ReferenceData }> {
  const geoip = await followGeoip({ ...options, paths: options.config.geoipFiles ?? [] });
  const files = followFiles(options);
  return {
    ...files,
    reference: createReferenceData(geoip.placeOfAddress),
    statuses: () => [...files.statuses(), ...geoip.statuses()],
    close: () => {
      files.close();
      geoip.close();
    },
  };
}

interface FollowedKind<Kind extends FileKind, Value> {
  readonly kind: Kind;
  readonly path: string;
  readonly loadFirst: () => Result<Value>;
  /** Makes what is in force of what the worker has checked. */
  readonly build: (
    checked: CheckedFiles[Kind],
    previous: Value | null,
  ) => Result<Value> | Promise<Result<Value>>;
  /** What the log says of it. */
  readonly describe: (value: Value) => object;
}

/** Follows a file whose plain data are nearly what is in force. */
function followPlain<Kind extends FileKind, Value>(
  options: FollowFilesOptions,
  file: Pick<FollowedKind<Kind, Value>, 'kind' | 'path' | 'describe'> & {
    readonly build: (checked: CheckedFiles[Kind], previous: Value | null) => Value;
  },
): ReloadableFile<Value> {
  const { kind, path } = file;
  const build = (checked: CheckedFiles[Kind], previous: Value | null): Result<Value> => ({
    ok: true,
    value: file.build(checked, previous),
  });
  const loadFirst = () => {
    const isExposed = isExposedBy(options.config);
    const checked = checkFile({ kind, path, isExposed }, options.providers);
    return checked.ok ? build(checked.value, null) : checked;
  };
  return follow(options, { ...file, loadFirst, build });
}

function follow<Kind extends FileKind, Value>(
  { config, providers, logger, nowMs }: FollowFilesOptions,
  { kind, path, loadFirst, build, describe }: FollowedKind<Kind, Value>,
): ReloadableFile<Value> {
  const checker = createFileChecker(providers.map(({ id }) => id));
  const file = followFile<Value>({
    path,
    loadFirst,
    load: async (previous) => {
      const checked = await checker.check({ kind, path, isExposed: isExposedBy(config) });
      return checked.ok ? build(checked.value, previous) : checked;
    },
    onReload: (value) =>
      logger.info({ event: `${kind}.reloaded`, path, ...describe(value) }, 'a file was reloaded'),
    onRefused: (mistakes) =>
      logger.error(
        { event: `${kind}.refused`, path, mistakes },
        'a changed file is refused; the last good one stays',
      ),
    nowMs,
  });
  return {
    ...file,
    close: () => {
      file.close();
      checker.close();
    },
  };
}

/**
 * Compiles what a worker has compiled before, so that there is nothing left to say where a mistake stands.
 */
async function compileLater(
  { document, hash, text }: CheckedFiles['policy'],
  providers: readonly ProviderDefinition[],
): Promise<Result<CompiledPolicy>> {
  const steps = compileInSteps(document, {
    providers,
    hash,
    text,
    compilePattern: compileLinearPattern,
    countriesOfTimeZone,
  });
  const result = await runInPieces(steps);
  return result.ok ? result : { ok: false, mistakes: result.mistakes.map(({ message }) => message) };
}
