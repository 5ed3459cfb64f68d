import { type CliCommand, CommandFailure } from '../command.ts';

/** Runs the demo, as `npm run demo` does. */
export const demo: CliCommand = {
  name: 'demo',
  summary: 'Run the service on emulated providers',
  details: 'It needs no configuration, and prints what to ask. Not in the image of the service.',
  options: [
    { flags: '--traffic', description: 'invent traffic with an attack, an outage and a recovery' },
    { flags: '--history <decisions>', description: 'begin with a month of so many invented decisions' },
    { flags: '--wait-seconds <seconds>', description: 'how long to wait for the start (60 unless given)' },
  ],
  run: async ({ options }, { become }) => {
    const { traffic, history, waitSeconds } = options;
    const args = traffic === true ? ['--traffic'] : [];
    if (typeof history === 'string') args.push('--history', history);
    if (typeof waitSeconds === 'string') args.push('--wait-seconds', waitSeconds);
    await become(args, () => import('../../emulators/demo.ts')).catch((error: unknown) => {
      const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : null;
      if (code !== 'ERR_MODULE_NOT_FOUND') throw error;
      throw new CommandFailure(
        'no_emulators',
        'The emulators are not installed here: run the demo in a checkout.',
      );
    });
    return null;
  },
};
