import { type CliCommand, CommandFailure, EXIT_CODES } from '../command.ts';
import { URL_OPTION } from '../policy/url-option.ts';

/** Registers a policy file as a candidate of a service. */
export const candidate: CliCommand = {
  name: 'candidate',
  summary: 'Let a policy judge beside the one in force, without answering',
  details:
    'Registers the file with a service, on all its replicas, and the cases beside it. What of the cases would refuse a promotion is told at once. From then on every decision is judged by it too, after it was answered. The variable RISKGATE_API_KEY has a key with scope admin.',
  arguments: [{ name: 'file', description: 'the policy' }],
  options: [URL_OPTION, { flags: '--remove', description: 'the candidate with its id is none any more' }],
  exits: { 2: 'the file is no policy, or the service has no such candidate' },
  examples: ['riskgate candidate policies/shop.yaml --url https://riskgate.internal'],
  run: async ({ args: [file = ''], options }, { env }) => {
    const { askService, toRefusal } = await import('../ask-service.ts');
    const { readWarnings } = await import('../policy/read-warnings.ts');
    const { openCandidate } = await import('../policy/open-candidate.ts');
    const { id, hash, text, tests } = openCandidate(file);
    const isRemoved = options['remove'] === true;
    const path = `/v1/policies/${id}/candidate`;
    const body = { policy: text, ...(tests !== null && { tests }) };
    const question = { url: String(options['url']), path, scope: 'admin' };
    const answer = await askService(
      isRemoved ? { ...question, method: 'DELETE' } : { ...question, method: 'PUT', body },
      env,
    );
    if (answer.status === 404)
      throw new CommandFailure('no_candidate', (await toRefusal(answer)).message, EXIT_CODES.usage);
    if (answer.status !== 200) throw await toRefusal(answer);
    const done = isRemoved
      ? 'is no candidate any more'
      : `is a candidate, ${tests === null ? 'without cases' : 'with its cases'}`;
    const warnings = isRemoved ? [] : readWarnings(await answer.json());
    return {
      exitCode: EXIT_CODES.ok,
      lines: [
        `${file}: ${id} ${done}.`,
        ...warnings.map(({ check, detail }) => `warning: it cannot be promoted so: ${check}: ${detail}`),
      ],
      json: { id, hash, done: true, warnings },
    };
  },
};
