import { type CliCommand, EXIT_CODES } from '../command.ts';
import { HASH_ARGUMENT, URL_OPTION } from '../policy/url-option.ts';

/** Puts a policy in force again. */
export const policiesRestore: CliCommand = {
  name: 'policies restore',
  summary: 'Put a policy in force again that was in force before',
  details:
    'One of `riskgate policies list`, on all replicas of the service within a second, over their policy files. The variable RISKGATE_API_KEY has a key with scope admin.',
  arguments: [HASH_ARGUMENT],
  options: [URL_OPTION],
  examples: ['riskgate policies restore sha256:4f… --url https://riskgate.internal'],
  run: async ({ args: [given], options: { url } }, { env }) => {
    const { askPolicies, toEntryLine, toHash } = await import('../policy/ask-policies.ts');
    const restored = await askPolicies<{ readonly in_force: Parameters<typeof toEntryLine>[0] }>(
      `history/${toHash(given)}/restore`,
      'POST',
      url,
      env,
    );
    return { exitCode: EXIT_CODES.ok, lines: [toEntryLine(restored.in_force)], json: restored };
  },
};
