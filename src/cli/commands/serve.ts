import type { CliCommand } from '../command.ts';
import { ENVIRONMENT_OPTION, readEnvironmentFile } from '../environment-file.ts';

/** Runs the service, as `npm start` does. */
export const serve: CliCommand = {
  name: 'serve',
  summary: 'Run the service',
  details:
    'Its configuration is the environment: `riskgate config table` lists it, `riskgate config check` says what is wrong with it. It ends with SIGTERM, and writes one JSON object a line.',
  options: [ENVIRONMENT_OPTION],
  exits: { 1: 'the configuration has mistakes, or the port is taken' },
  run: async (input, context) => {
    readEnvironmentFile(input, context);
    await context.become([], () => import('../../main.ts'));
    return null;
  },
};
