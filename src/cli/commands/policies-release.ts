import { type CliCommand, EXIT_CODES } from '../command.ts';
import { URL_OPTION } from '../policy/url-option.ts';

/** Lets policy files count again. */
export const policiesRelease: CliCommand = {
  name: 'policies release',
  summary: 'Let the policy files of a service count again',
  details:
    'Ends what was put in force over them; each replica judges by its own file within a second. It shows the policy of the replica that was asked. The variable RISKGATE_API_KEY has a key with scope admin.',
  options: [URL_OPTION],
  examples: ['riskgate policies release --url https://riskgate.internal'],
  run: async ({ options: { url } }, { env }) => {
    const { askPolicies, toEntryLine } = await import('../policy/ask-policies.ts');
    const released = await askPolicies<{ readonly in_force: Parameters<typeof toEntryLine>[0] }>(
      'in-force',
      'DELETE',
      url,
      env,
    );
    return { exitCode: EXIT_CODES.ok, lines: [toEntryLine(released.in_force)], json: released };
  },
};
