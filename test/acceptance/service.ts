import { hash, randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startProgram } from '../support/start-program.ts';

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

/** A service somewhere, and a key with all scopes. Its upstreams are the emulators. */
export interface Service {
  readonly url: string;
  readonly key: string;
}

/**
 * The service at RISKGATE_URL, with RISKGATE_KEY; without these a service and its emulators as processes that
 * end with the test.
 */
export async function findService(t: Teardown): Promise<Service> {
  const { RISKGATE_URL: url, RISKGATE_KEY: key } = process.env;
  if (url !== undefined && url !== '') return { url: url.replace(/\/$/, ''), key: key ?? 'demo-key' };
  return startOwnService(t);
}

async function startOwnService(t: Teardown): Promise<Service> {
  const emulators = await startProgram(t, [process.execPath, 'src/emulators/main.ts', '--port', '0']);
  const [line] = await emulators.until(/^http:.*$/m);
  const assignments = line
    .split(' ')
    .slice(1)
    .map((assignment) => assignment.split(/=(.*)/s, 2));
  const key = randomBytes(16).toString('hex');
  const env = {
    ...(Object.fromEntries(assignments) as Record<string, string>),
    API_KEYS_FILE: writeKeys(t, key),
    ID_HASH_KEY: randomBytes(32).toString('hex'),
    PORT: '0',
    DRAIN_DELAY_MS: '0',
  };
  const service = await startProgram(t, [process.execPath, 'src/main.ts'], { env });
  const [, port] = await service.until(/"event":"service\.listening".*?"port":(\d+)/);
  return { url: `http://127.0.0.1:${port}`, key };
}

function writeKeys(t: Teardown, key: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'riskgate-acceptance-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, 'api-keys.yaml');
  const entry = { id: 'acceptance', sha256: hash('sha256', key), scopes: ['decide', 'read', 'admin'] };
  writeFileSync(file, JSON.stringify({ keys: [entry] }));
  return file;
}
