import { parseArgs } from 'node:util';
import { PROVIDERS } from '../providers/registry.ts';
import { createEmulatorServer, emulatorEnvironment } from './server.ts';

const OPTIONS = {
  port: { type: 'string', default: '8081' },
  host: { type: 'string', default: '127.0.0.1' },
} as const;

/**
 * Where to listen, or null with a line on stderr when the flags make no sense. Port 0 takes any free port.
 */
function readAddress(): { host: string; port: number } | null {
  try {
    const { values } = parseArgs({ options: OPTIONS });
    if (/^\d{1,5}$/.test(values.port) && Number(values.port) <= 65_535) {
      return { host: values.host, port: Number(values.port) };
    }
    console.error(`--port must be a number from 0 to 65535, not ${values.port}`);
  } catch (error) {
    // A TypeError of parseArgs: an unknown flag, or one without its value.
    console.error(error instanceof Error ? error.message : String(error));
  }
  return null;
}

async function run(address: { host: string; port: number }): Promise<void> {
  const { app } = createEmulatorServer({ providers: PROVIDERS });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void app.close());
  const origin = await app.listen(address).catch((error: unknown) => {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : error;
    const place = `${address.host}:${address.port}`;
    console.error(`The emulators cannot listen on ${place} (${String(code)}). Set --port to a free port.`);
    process.exitCode = 1;
    return null;
  });
  if (origin === null) return;
  const environment = Object.entries(emulatorEnvironment(PROVIDERS, origin));
  console.log(`${origin} ${environment.map(([name, value]) => `${name}=${value}`).join(' ')}`);
}

const address = readAddress();
if (address === null) process.exitCode = 2;
else await run(address);
