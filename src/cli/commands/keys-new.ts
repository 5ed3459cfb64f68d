import { type CliCommand, CommandFailure, EXIT_CODES } from '../command.ts';

/** 256 bits, which nobody guesses. */
const KEY_BYTES = 32;
const ID = /^[\w.-]{1,64}$/;

/** Makes an API key. */
export const keysNew: CliCommand = {
  name: 'keys new',
  summary: 'Make an API key, and the entry of the key file for it',
  details: 'The key is printed once and kept nowhere; the entry has its hash alone.',
  arguments: [{ name: 'id', description: 'the id of the caller, as decisions and metrics name it' }],
  options: [
    {
      flags: '--scopes <list>',
      description: 'what the key may do, with commas between; decide unless given',
    },
  ],
  examples: ['riskgate keys new shop --scopes decide,read'],
  run: async ({ args, options }) => {
    const { hash, randomBytes } = await import('node:crypto');
    const { SCOPES } = await import('../../http/callers/api-keys.ts');
    const [id = ''] = args;
    if (!ID.test(id)) throw usage('an id is letters, digits, dots, dashes and underscores, 64 at most');
    const scopes = String(options['scopes'] ?? 'decide').split(',');
    const unknown = scopes.find((scope) => !SCOPES.some((known) => known === scope));
    if (unknown !== undefined) throw usage(`"${unknown}" is no scope; there are ${SCOPES.join(', ')}`);
    if (scopes.includes('test') && scopes.length > 1) throw usage('the scope "test" stands alone');
    const key = randomBytes(KEY_BYTES).toString('hex');
    const sha256 = hash('sha256', key);
    return {
      exitCode: EXIT_CODES.ok,
      lines: [
        `# The key, for the caller: it is not shown again.`,
        key,
        '',
        '# The entry, for `keys:` in API_KEYS_FILE:',
        `  - id: ${id}`,
        `    sha256: ${sha256}`,
        `    scopes: [${scopes.join(', ')}]`,
      ],
      json: { key, entry: { id, sha256, scopes } },
    };
  },
};

function usage(message: string): CommandFailure {
  return new CommandFailure('usage', message, EXIT_CODES.usage);
}
