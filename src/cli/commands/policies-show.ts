import { type CliCommand, EXIT_CODES } from '../command.ts';
import { HASH_ARGUMENT, URL_OPTION } from '../policy/url-option.ts';

/** Shows the text of a policy. */
export const policiesShow: CliCommand = {
  name: 'policies show',
  summary: 'Show the text of a policy that a service knows',
  details:
    'By its hash, as decisions and `riskgate policies list` name it: the text that the hash is of; one without a line feed at its end gets one. The variable RISKGATE_API_KEY has a key with scope read.',
  arguments: [HASH_ARGUMENT],
  options: [URL_OPTION],
  examples: ['riskgate policies show sha256:4f… --url https://riskgate.internal > before.yaml'],
  run: async ({ args: [given], options: { url } }, { env }) => {
    const { askPolicies, toHash } = await import('../policy/ask-policies.ts');
    const shown = await askPolicies<{ readonly text: string }>(toHash(given), 'GET', url, env);
    return { exitCode: EXIT_CODES.ok, lines: shown.text.replace(/\n$/, '').split('\n'), json: shown };
  },
};
