import { type CliCommand, EXIT_CODES } from '../command.ts';

/** 256 bits, which nobody guesses. */
const KEY_BYTES = 32;
const POLICY = new URL('../../../policies/default.yaml', import.meta.url);
const POLICY_CASES = new URL('../../../policies/default.test.yaml', import.meta.url);

/** Writes a first configuration. */
export const init: CliCommand = {
  name: 'init',
  summary: 'Write a first configuration, with comments',
  details:
    'It writes variables, keys, a policy with its cases and a gateway profile. Keys are random, and files with secrets are for their owner alone. Nothing is overwritten: where one of the files is there already, none is written.',
  options: [{ flags: '--dir <folder>', description: 'where to write; the current folder unless given' }],
  examples: ['riskgate init --dir my-riskgate'],
  run: async ({ options }, { version }) => {
    const { hash, randomBytes } = await import('node:crypto');
    const { readFileSync } = await import('node:fs');
    const { join, relative, resolve } = await import('node:path');
    const { PROVIDERS } = await import('../../providers/registry.ts');
    const { API_KEY_FILE, credentialsOf, ENV_FILE, toFirstFiles } = await import('../init/first-files.ts');
    const { writeNewFiles } = await import('../init/write-new-files.ts');
    const directory = resolve(String(options['dir'] ?? '.'));
    const apiKey = randomBytes(KEY_BYTES).toString('hex');
    const first = toFirstFiles({
      providers: PROVIDERS,
      apiKey,
      apiKeySha256: hash('sha256', apiKey),
      idHashKey: randomBytes(KEY_BYTES).toString('hex'),
      policy: readFileSync(POLICY, 'utf8'),
      policyCases: readFileSync(POLICY_CASES, 'utf8'),
      version,
    });
    writeNewFiles(directory, first);
    const missing = credentialsOf(PROVIDERS);
    const written = first.map(({ path }) => path);
    const shown = relative('.', directory);
    return {
      exitCode: EXIT_CODES.ok,
      lines: [
        `Written to ${directory}:`,
        ...written.map((path) => `  ${path}`),
        '',
        `Missing in ${join(shown, ENV_FILE)}: the credentials of at least one provider.`,
        ...missing.map(({ title, variables }) => `  ${title}: ${variables.join(', ')}`),
        'Without any, `riskgate demo` runs on emulated providers.',
        '',
        'Then:',
        ...(shown === '' ? [] : [`  cd ${shown}`]),
        `  riskgate config check --environment ${ENV_FILE}`,
        `  riskgate serve --environment ${ENV_FILE}`,
        `The key of the first caller is in ${API_KEY_FILE}; with it you sign in at /dashboard too.`,
      ],
      json: { directory, written, missing },
    };
  },
};
