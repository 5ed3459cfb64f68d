import { type CliCommand, CommandFailure, EXIT_CODES } from '../command.ts';

const PORT = /^\d{1,5}$/;

/** Runs the emulators of all providers, as `npm run emulators` does. */
export const emulators: CliCommand = {
  name: 'emulators',
  summary: 'Run the emulators of all providers',
  details:
    'The first line that it prints is their URL and the variables with which a service asks them. They end with SIGTERM. Not in the image of the service.',
  options: [
    { flags: '--port <port>', description: 'where to listen, 0 for any free port (8081 unless given)' },
    { flags: '--host <address>', description: 'on which address (127.0.0.1 unless given)' },
  ],
  run: async ({ options: { port, host } }, { become }) => {
    if (typeof port === 'string' && !(PORT.test(port) && Number(port) <= 65_535))
      throw new CommandFailure('usage', `a port is a number from 0 to 65535, not ${port}`, EXIT_CODES.usage);
    const args = [
      ...(typeof port === 'string' ? ['--port', port] : []),
      ...(typeof host === 'string' ? ['--host', host] : []),
    ];
    await become(args, () => import('../../emulators/main.ts')).catch((error: unknown) => {
      const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : null;
      if (code !== 'ERR_MODULE_NOT_FOUND') throw error;
      throw new CommandFailure(
        'no_emulators',
        'The emulators are not installed here: run them in a checkout.',
      );
    });
    return null;
  },
};
