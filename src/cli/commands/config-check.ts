import { type CliCommand, EXIT_CODES } from '../command.ts';
import { ENVIRONMENT_OPTION, readEnvironmentFile } from '../environment-file.ts';

/** Says what is wrong with the configuration in the environment. */
export const configCheck: CliCommand = {
  name: 'config check',
  summary: 'Say what is wrong with the configuration in the environment',
  details:
    'The files that it names are checked too: policy, API keys, gateway profiles, secrets, TLS. Nothing is started, and no server is asked.',
  options: [ENVIRONMENT_OPTION],
  exits: { 0: 'the service would start with it', 1: 'it would not' },
  run: async (input, context) => {
    readEnvironmentFile(input, context);
    const { env } = context;
    const { readConfiguration } = await import('../../app/read-configuration.ts');
    const { checkCandidates } = await import('../../app/followed-candidates.ts');
    const { findMisspeltVariables } = await import('../../config/misspelt-variables.ts');
    const { PROVIDERS } = await import('../../providers/registry.ts');
    const { SINKS } = await import('../../stores/decision-log/registry.ts');
    const plugIns = { providers: PROVIDERS, sinks: SINKS };
    const read = readConfiguration(env, plugIns);
    const mistakes = read.ok ? [] : read.mistakes;
    const misspelt = findMisspeltVariables(env, plugIns);
    const ignored = read.ok ? read.value.ignored : [];
    const candidates = read.ok ? checkCandidates(read.value.policyCandidates ?? [], PROVIDERS) : [];
    return {
      exitCode: read.ok ? EXIT_CODES.ok : EXIT_CODES.findings,
      lines: [
        ...mistakes.map((mistake) => `mistake: ${mistake}`),
        ...misspelt.map(({ variable, meant }) => `warning: nothing reads ${variable}; ${meant}?`),
        ...ignored.map(({ variable, reason }) => `warning: ${variable} ${reason}`),
        ...candidates.map((mistake) => `warning: no candidate: ${mistake}`),
        read.ok ? 'The service would start.' : 'The service would not start.',
      ],
      json: { ok: read.ok, mistakes, misspelt, ignored, candidates },
    };
  },
};
