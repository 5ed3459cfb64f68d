import type { Config, ConfigFiles } from '../config/config.ts';
import { SERVICE_SETTINGS } from '../config/service-settings.ts';
import type { AlertRule } from '../domain/alerts/alert-rule.ts';
import type { ReferenceData } from '../domain/contradictions/reference-data.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import { BUILT_IN_PROFILES, createProfiles } from '../gateways/load-profiles.ts';
import type { GatewayProfiles } from '../gateways/profile.ts';
import { createKeyring, type Keyring } from '../http/callers/api-keys.ts';
import { findExposures } from '../platform/exposure.ts';
import type { FileStatus, ReloadableFile } from '../platform/reloadable-file.ts';
import type { ProviderDefinition } from '../providers/definition.ts';
import type { SinkDefinition } from '../stores/decision-log/definition.ts';
import { checkFile, type FileKind, readPolicy } from './check-file.ts';
import {
  compileLater,
  type Exposure,
  type FollowOptions,
  follow,
  followPlain,
  isExposedBy,
} from './follow-file.ts';
import { followCandidates } from './followed-candidates.ts';
import { checkGeoipFiles, followGeoip } from './geoip-files.ts';
import { checkTlsFiles } from './redis-target.ts';
import { createReferenceData } from './reference-data.ts';
import { readSharedSignals } from './shared-signals-file.ts';
import { readWebhooks } from './webhooks.ts';

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
    sharedSignalsFile,
    webhooksFile,
    alertsFile,
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
      ...mistakesIn('alerts', alertsFile),
      ...checkGeoipFiles(geoipFiles ?? []).map((mistake) => `${SERVICE_SETTINGS.geoipFiles.env} ${mistake}`),
      ...mistakesInStreams(sharedSignalsFile ?? null),
      ...mistakesInWebhooks(webhooksFile ?? null),
      ...checkTlsFiles(redisTls),
      ...checkNamedSinks(sinks, configs),
    ];
    if (!isExposed) return mistakes;
    return [...mistakes, ...findExposures({ host, secrets: idHashKeys })];
  };
}

function mistakesInWebhooks(path: string | null): readonly string[] {
  const read = path === null ? null : readWebhooks(path);
  if (read === null || read.ok) return [];
  return read.mistakes.map((mistake) => `${SERVICE_SETTINGS.webhooksFile.env} ${mistake}`);
}

function mistakesInStreams(path: string | null): readonly string[] {
  const read = path === null ? null : readSharedSignals(path);
  if (read === null || read.ok) return [];
  return read.mistakes.map((mistake) => `${SERVICE_SETTINGS.sharedSignalsFile.env} ${mistake}`);
}

function checkNamedSinks(sinks: readonly SinkDefinition[], configs: ConfigFiles['sinks']): readonly string[] {
  return sinks.flatMap((sink) => {
    const config = configs.find(({ id, isNamed }) => id === sink.id && isNamed);
    return config === undefined ? [] : sink.check(config.settings);
  });
}

const NO_ALERTS: readonly AlertRule[] = [];

/** The settings that name the files. */
const SETTINGS = {
  policy: 'policyFile',
  api_keys: 'apiKeysFile',
  gateway_profiles: 'gatewayProfilesFile',
  alerts: 'alertsFile',
} as const satisfies Record<FileKind, keyof typeof SERVICE_SETTINGS>;

/** The files in force, each following its file. */
export interface FollowedFiles {
  policy(): CompiledPolicy;
  /** Calls back when the file of the policy has changed and is taken. */
  onPolicy(listener: () => void): void;
  keyring(): Keyring;
  /** The built-in one alone where no file is named. */
  profiles(): GatewayProfiles;
  /** None where no file is named; the same array until the file changes. */
  alerts(): readonly AlertRule[];
  /** Policies that judge beside the one in force; the same array until one of them changes. */
  candidates(): readonly CompiledPolicy[];
  /** The file with this candidate, by its hash; null where it is in none. */
  candidateFileOf(hash: string): string | null;
  /** How each file is that is followed. */
  statuses(): readonly FollowedStatus[];
  close(): void;
}

interface FollowedStatus extends FileStatus {
  readonly file: FileKind | 'geoip' | 'policy_candidates';
}

interface FollowFilesOptions extends FollowOptions {
  readonly config: Exposure &
    Pick<Config, 'policyFile' | 'apiKeysFile' | 'gatewayProfilesFile' | 'alertsFile'>;
}

/** Loads and follows the files that the configuration names. Throws when one cannot be used at first. */
function followFiles(options: FollowFilesOptions): Omit<FollowedFiles, 'candidateFileOf' | 'candidates'> {
  const { config, providers, logger } = options;
  const warn = (assertions: readonly string[]) => {
    if (assertions.length > 0)
      logger.warn({ event: 'policy.unproven', assertions }, 'what the policy never does could not be proven');
  };
  const listeners: (() => void)[] = [];
  const policy = follow(options, {
    kind: 'policy',
    path: config.policyFile,
    loadFirst: () => readPolicy(config.policyFile, providers, warn),
    build: (checked) => {
      warn(checked.unproven);
      return compileLater(checked, providers);
    },
    onReload: () => {
      for (const listener of listeners) listener();
    },
    describe: ({ id, hash }) => ({ policy: id, hash }),
  });
  const keyring = followPlain(options, {
    kind: 'api_keys',
    path: config.apiKeysFile,
    build: createKeyring,
    describe: ({ size }) => ({ keys: size }),
  });
  const { gatewayProfilesFile, alertsFile } = config;
  const profiles =
    gatewayProfilesFile === null
      ? null
      : followPlain(options, {
          kind: 'gateway_profiles',
          path: gatewayProfilesFile,
          build: createProfiles,
          describe: ({ byName }: GatewayProfiles) => ({ profiles: byName.size }),
        });
  const alerts = alertsFile === null ? null : followAlerts(options, alertsFile);
  return {
    policy: policy.current,
    onPolicy: (listener) => void listeners.push(listener),
    alerts: alerts === null ? () => NO_ALERTS : alerts.current,
    keyring: keyring.current,
    profiles: profiles === null ? () => BUILT_IN_PROFILES : profiles.current,
    statuses: () => [
      { file: 'policy', ...policy.status() },
      { file: 'api_keys', ...keyring.status() },
      ...(profiles === null ? [] : [{ file: 'gateway_profiles' as const, ...profiles.status() }]),
      ...(alerts === null ? [] : [{ file: 'alerts' as const, ...alerts.status() }]),
    ],
    close: () => {
      for (const file of [policy, keyring, profiles, alerts]) file?.close();
    },
  };
}

function followAlerts(options: FollowFilesOptions, path: string): ReloadableFile<readonly AlertRule[]> {
  return followPlain(options, {
    kind: 'alerts',
    path,
    build: (rules) => rules,
    describe: ({ length }: readonly AlertRule[]) => ({ alerts: length }),
  });
}

/**
 * Those of `followFiles`, candidates, and what is known of the world with the files of addresses. Rejects when one cannot
 * be used at first.
 */
export async function followAllFiles(
  options: FollowFilesOptions & { readonly config: Pick<Config, 'geoipFiles' | 'policyCandidates'> },
): Promise<FollowedFiles & { readonly reference: ReferenceData }> {
  const { geoipFiles, policyCandidates } = options.config;
  const geoip = await followGeoip({ ...options, paths: geoipFiles ?? [] });
  const files = followFiles(options);
  const { candidates, fileOf, status, close } = followCandidates(options, policyCandidates ?? []);
  const candidateStatuses = () => {
    const now = status();
    return now === null ? [] : [{ file: 'policy_candidates' as const, ...now }];
  };
  return {
    ...files,
    candidates,
    candidateFileOf: fileOf,
    reference: createReferenceData(geoip.placeOfAddress, geoip.edition),
    statuses: () => [...files.statuses(), ...candidateStatuses(), ...geoip.statuses()],
    close: () => {
      files.close();
      close();
      geoip.close();
    },
  };
}
