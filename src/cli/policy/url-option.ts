import type { CliArgument, CliOption } from '../command.ts';

/** Every command that asks a service has it. */
export const URL_OPTION: CliOption = { flags: '--url <url>', description: 'the service', isRequired: true };

/** Which policy a command is about. */
export const HASH_ARGUMENT: CliArgument = { name: 'hash', description: 'the hash of a policy, with sha256:' };
