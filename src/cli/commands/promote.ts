import { type CliCommand, type CliReport, CommandFailure, EXIT_CODES } from '../command.ts';
import { URL_OPTION } from '../policy/url-option.ts';

/** Puts a candidate in force that has shown enough. */
export const promote: CliCommand = {
  name: 'promote',
  summary: 'Put a candidate in force that has shown enough, or say what it lacks',
  details:
    'The candidate of a service that has the text of this file, by the limits under `promotion:` in the policy that is in force there. Every check is shown. A share of accounts first, and more of them by the same command with a greater share. The variable RISKGATE_API_KEY has a key with scope admin; review is enough for `--dry-run`.',
  arguments: [{ name: 'file', description: 'the policy' }],
  options: [
    URL_OPTION,
    { flags: '--share <percent>', description: 'let it answer only so many of all accounts, such as `10%`' },
    { flags: '--dry-run', description: 'show the checks, and change nothing' },
    {
      flags: '--take-back',
      description: 'take back its share, or, while it is watched, put the former policy in force again',
    },
  ],
  exits: {
    0: 'it was done, or with `--dry-run` could be',
    1: 'a check fails: nothing was changed',
    2: 'the file is no policy, or the service has no such candidate',
  },
  examples: [
    'riskgate promote policies/shop.yaml --url https://riskgate.internal --dry-run',
    'riskgate promote policies/shop.yaml --url https://riskgate.internal --share 10%',
    'riskgate promote policies/shop.yaml --url https://riskgate.internal',
  ],
  run: async ({ args: [file = ''], options }, { env }) => {
    const { askService, toRefusal } = await import('../ask-service.ts');
    const { openCandidate } = await import('../policy/open-candidate.ts');
    const { readPromotion, showPromotion } = await import('../policy/show-promotion.ts');
    const share = await readShare(options['share']);
    const [isDry, isBack] = [options['dryRun'] === true, options['takeBack'] === true];
    if (isBack && (isDry || options['share'] !== undefined))
      throw new CommandFailure(
        'usage',
        '--take-back goes with neither --dry-run nor --share',
        EXIT_CODES.usage,
      );
    const { id, hash } = openCandidate(file);
    const ask = async (question: Omit<Parameters<typeof askService>[0], 'url'>) => {
      const answer = await askService({ ...question, url: String(options['url']) }, env);
      if (answer.status === 404)
        throw new CommandFailure('no_candidate', (await toRefusal(answer)).message, EXIT_CODES.usage);
      return answer;
    };
    const show = async (answer: Response, end: (passed: boolean) => string): Promise<CliReport> => {
      if (answer.status !== 200) throw await toRefusal(answer);
      const told = readPromotion(await answer.json().catch(() => null));
      if (told === null)
        throw new CommandFailure(
          'refused',
          `${new URL(answer.url).origin} answers with what is no promotion`,
        );
      return showPromotion(told, end(told.passed));
    };
    const path = `/v1/policies/${id}`;
    if (isBack) {
      const answer = await ask({ method: 'DELETE', path: `${path}/promotion`, scope: 'admin' });
      if (answer.status !== 200) throw await toRefusal(answer);
      const json: unknown = await answer.json();
      return { exitCode: EXIT_CODES.ok, lines: [`${id}: its promotion was taken back.`], json };
    }
    const checks = { path: `${path}/promotion?hash=${encodeURIComponent(hash)}`, scope: 'review' } as const;
    const shown = await show(await ask(checks), (passed) =>
      passed ? 'It can be promoted.' : 'It cannot be promoted. Nothing was changed.',
    );
    if (isDry || shown.exitCode !== EXIT_CODES.ok) return shown;
    const body = { hash, share };
    const promoted = await ask({ method: 'POST', path: `${path}/promote`, body, scope: 'admin' });
    return show(promoted, () =>
      share < 1
        ? `It answers ${Number((share * 100).toPrecision(9))} % of accounts.`
        : 'It is in force, and watched.',
    );
  },
};

/** 0 to 1. */
async function readShare(given: string | boolean | undefined): Promise<number> {
  if (given === undefined) return 1;
  const { toShare } = await import('../../domain/promotion/promotion-limits.ts');
  const share = toShare(String(given));
  if (share === null || share === 0)
    throw new CommandFailure('usage', '--share must be a percentage, such as 10%', EXIT_CODES.usage);
  return share;
}
