import { type CliContext, type CliInput, type CliOption, CommandFailure } from './command.ts';

/**
 * The option of commands that read the configuration of the service. Not `--env-file`: Node takes that for its
 * own, wherever it stands.
 */
export const ENVIRONMENT_OPTION: CliOption = {
  flags: '--environment <file>',
  description: 'read variables from a file (`NAME=value` lines) that the environment does not have',
};

/** Adds what the file of the option holds to the environment. Throws a CommandFailure where it cannot be read. */
export function readEnvironmentFile({ options }: CliInput, { loadEnvFile }: CliContext): void {
  const { environment } = options;
  if (typeof environment !== 'string') return;
  try {
    loadEnvFile(environment);
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : error;
    throw new CommandFailure('env_file_unreadable', `${environment} cannot be read (${String(code)})`);
  }
}
