import { type CliCommand, EXIT_CODES } from '../command.ts';
import { URL_OPTION } from '../policy/url-option.ts';

/** Lists the policies that came into force. */
export const policiesList: CliCommand = {
  name: 'policies list',
  summary: 'List the last 50 policies that came into force in a service',
  details:
    'Newest first: when, why (file, promoted, restored, rolled_back, released), the hash, the id and who did it. The variable RISKGATE_API_KEY has a key with scope read.',
  options: [URL_OPTION],
  examples: ['riskgate policies list --url https://riskgate.internal'],
  run: async ({ options: { url } }, { env }) => {
    const { askPolicies, toEntryLine } = await import('../policy/ask-policies.ts');
    const { policies, kept_in } = await askPolicies<{
      readonly policies: readonly Parameters<typeof toEntryLine>[0][];
      readonly kept_in: string;
    }>('history', 'GET', url, env);
    return { exitCode: EXIT_CODES.ok, lines: policies.map(toEntryLine), json: { policies, kept_in } };
  },
};
