import { type CliCommand, CommandFailure, EXIT_CODES } from '../command.ts';

const KEY_BYTES_MAX = 4096;

/** Hashes an API key that is there already. */
export const keysHash: CliCommand = {
  name: 'keys hash',
  summary: 'Hash an API key from standard input, for the key file',
  details: 'Not from an argument, which other users of the machine and the history of the shell would see.',
  examples: ['printf %s "$API_KEY" | riskgate keys hash'],
  run: async (_input, { stdin }) => {
    const { hash } = await import('node:crypto');
    const pieces: Uint8Array[] = [];
    let size = 0;
    for await (const piece of stdin) {
      size += piece.length;
      if (size > KEY_BYTES_MAX) throw usage('that is too long for a key');
      pieces.push(piece);
    }
    const key = Buffer.concat(pieces)
      .toString()
      .replace(/\r?\n$/, '');
    if (key === '') throw usage('there is no key on standard input');
    const sha256 = hash('sha256', key);
    return { exitCode: EXIT_CODES.ok, lines: [sha256], json: { sha256 } };
  },
};

function usage(message: string): CommandFailure {
  return new CommandFailure('usage', message, EXIT_CODES.usage);
}
