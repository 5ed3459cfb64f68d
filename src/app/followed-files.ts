import { hash } from 'node:crypto';
import type { Logger } from 'pino';
import { loadPolicy } from '../application/load-policy.ts';
import { type Config, type ConfigFiles, OWN_SETTINGS } from '../config/config.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import { BUILT_IN_PROFILES, loadProfiles } from '../gateways/load-profiles.ts';
import type { GatewayProfiles } from '../gateways/profile.ts';
import { type Keyring, loadKeyring } from '../http/callers/api-keys.ts';
import { findExposures, findOpenMode, isLoopback } from '../platform/exposure.ts';
import { compileLinearPattern } from '../platform/linear-pattern.ts';
import { type FileResult, followFile, loadFile, type ReloadableFile } from '../platform/reloadable-file.ts';
import { parseYaml } from '../platform/yaml-document.ts';
import type { ProviderDefinition } from '../providers/definition.ts';
import { findDecisionFileMistakes } from '../stores/decision-log/file/decision-file-check.ts';
import { checkTlsFiles } from './redis-target.ts';

/** Every mistake in the files that a configuration names, and everything that must not be reachable from other machines. */
export function checkFiles(
  providers: readonly ProviderDefinition[],
): (files: ConfigFiles) => readonly string[] {
  return ({
    policyFile,
    apiKeysFile,
    gatewayProfilesFile,
    host = '',
    idHashKey,
    isInsecureAllowed = false,
    redisTls,
    ...log
  }) => {
    const isExposed = isExposedBy({ host, isInsecureAllowed });
    const mistakes = [
      ...mistakesIn('policyFile', policyFile, (text) => readPolicy(text, providers)),
      ...mistakesIn('apiKeysFile', apiKeysFile, readKeyring(apiKeysFile ?? '', isExposed)),
      ...mistakesIn('gatewayProfilesFile', gatewayProfilesFile, readProfiles(isExposed)),
      ...checkTlsFiles(redisTls),
    ];
    if (log.decisionLogSinks?.includes('file') && log.decisionLogFile !== undefined)
      mistakes.push(...findDecisionFileMistakes(log.decisionLogFile));
    if (!isExposed) return mistakes;
    return [...mistakes, ...findExposures({ host, secret: idHashKey })];
  };
}

/** The mistakes in one file, by the variable that names it. */
function mistakesIn(
  setting: keyof typeof OWN_SETTINGS,
  path: string | undefined,
  load: (text: string) => FileResult<unknown>,
): readonly string[] {
  const result = path === undefined ? null : loadFile(path, load);
  if (result === null || result.ok) return [];
  return result.mistakes.map((mistake) => `${OWN_SETTINGS[setting].env} ${mistake}`);
}

function readPolicy(text: string, providers: readonly ProviderDefinition[]): FileResult<CompiledPolicy> {
  return loadPolicy(text, {
    providers,
    parse: parseYaml,
    compilePattern: compileLinearPattern,
    sha256: (content) => hash('sha256', content),
  });
}

function readKeyring(path: string, isExposed: boolean): (text: string) => FileResult<Keyring> {
  return (text) => refuseOpenFile(refuseWellKnown(loadKeyring(text), isExposed, 'key'), path, isExposed);
}

/** Where others can reach the service, others on its machine must not read or write the API keys, at the start and after a change. */
function refuseOpenFile<Value>(
  result: FileResult<Value>,
  path: string,
  isExposed: boolean,
): FileResult<Value> {
  const mode = isExposed ? findOpenMode(path) : null;
  if (mode === null) return result;
  const mistake = ` its mode is ${mode}; others must not read or write API keys: chmod 0400 or 0440`;
  return { ok: false, mistakes: [...(result.ok ? [] : result.mistakes), mistake] };
}

function readProfiles(isExposed: boolean): (text: string) => FileResult<GatewayProfiles> {
  return (text) => refuseWellKnown(loadProfiles(text), isExposed, 'secret');
}

/** Where others can reach the service, a secret that everybody knows is a mistake in its file, at the start and in a changed one. */
function refuseWellKnown<Value extends { readonly wellKnown: readonly string[] }>(
  result: FileResult<Value>,
  isExposed: boolean,
  what: string,
): FileResult<Value> {
  if (!isExposed || !result.ok || result.value.wellKnown.length === 0) return result;
  const mistakes = result.value.wellKnown.map((id) => ` everybody knows the ${what} of "${id}"`);
  return { ok: false, mistakes };
}

/** Where the service listens, and whether it is a demo. */
type Exposure = Pick<Config, 'host' | 'isInsecureAllowed'>;

function isExposedBy({ host, isInsecureAllowed }: Exposure): boolean {
  return !isInsecureAllowed && !isLoopback(host);
}

/** The policy in force. Throws when there is none at first. */
export function followPolicy(
  path: string,
  providers: readonly ProviderDefinition[],
  logger: Logger,
): ReloadableFile<CompiledPolicy> {
  const load = (text: string) => readPolicy(text, providers);
  return follow(path, load, logger, 'policy', ({ id, hash: digest }) => ({ policy: id, hash: digest }));
}

/** The API keys in force. Throws when there are none at first. */
export function followKeyring(
  config: Exposure & Pick<Config, 'apiKeysFile'>,
  logger: Logger,
): ReloadableFile<Keyring> {
  const load = readKeyring(config.apiKeysFile, isExposedBy(config));
  return follow(config.apiKeysFile, load, logger, 'api_keys', ({ size }) => ({ keys: size }));
}

/** The gateway profiles in force: the built-in one where no file is named. Throws when there are none at first. */
export function followProfiles(
  config: Exposure & Pick<Config, 'gatewayProfilesFile'>,
  logger: Logger,
): ReloadableFile<GatewayProfiles> {
  const path = config.gatewayProfilesFile;
  if (path === null) return { current: () => BUILT_IN_PROFILES, close: () => {} };
  const load = readProfiles(isExposedBy(config));
  return follow(path, load, logger, 'gateway_profiles', ({ byName }) => ({ profiles: byName.size }));
}

function follow<Value>(
  path: string,
  load: (text: string) => FileResult<Value>,
  logger: Logger,
  kind: 'policy' | 'api_keys' | 'gateway_profiles',
  describe: (value: Value) => object,
): ReloadableFile<Value> {
  const first = loadFile(path, load);
  if (!first.ok) throw new Error(first.mistakes.join('\n'));
  return followFile(first.value, {
    path,
    load,
    onReload: (value) =>
      logger.info({ event: `${kind}.reloaded`, path, ...describe(value) }, 'a file was reloaded'),
    onRefused: (mistakes) =>
      logger.error(
        { event: `${kind}.refused`, path, mistakes },
        'a changed file is refused; the last good one stays',
      ),
  });
}
