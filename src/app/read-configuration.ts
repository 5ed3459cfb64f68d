import { type Config, loadConfig } from '../config/config.ts';
import { readTextFile } from '../platform/read-text-file.ts';
import type { Result } from '../platform/result.ts';
import type { ProviderDefinition } from '../providers/definition.ts';
import type { SinkDefinition } from '../stores/decision-log/definition.ts';
import { checkFiles } from './followed-files.ts';

/** Far more than any secret. */
const SECRET_BYTES_MAX = 65_536;

/** The registries of plug-ins. */
interface PlugIns {
  readonly providers: readonly ProviderDefinition[];
  readonly sinks: readonly SinkDefinition[];
}

/** The configuration in an environment and in the files that it names, or every mistake in them. */
export function readConfiguration(
  env: Readonly<Record<string, string | undefined>>,
  { providers, sinks }: PlugIns,
): Result<Config> {
  return loadConfig(env, { providers, sinks }, checkFiles(providers, sinks), readSecret);
}

/** A secret that a variable with `_FILE` at its end names. */
export function readSecret(path: string): ReturnType<typeof readTextFile> {
  return readTextFile(path, SECRET_BYTES_MAX);
}
