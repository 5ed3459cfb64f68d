import { hash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { emulatorEnvironment } from '../../src/emulators/server.ts';
import { type Program, startProgram } from './start-program.ts';
import { VENDORS } from './vendors.ts';

/** The API key of services that tests start; it has every scope. */
export const SERVICE_KEY = 'test-key';

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

/** Longer than a busy machine takes, so that only what a test holds back is late. Milliseconds. */
export function patienceOf(ms: number): Record<string, string> {
  const timeouts = VENDORS.map(({ id }) => [`${id.toUpperCase()}_TIMEOUT_MS`, String(ms)]);
  return { DECISION_DEADLINE_MS: String(ms), ...Object.fromEntries(timeouts) };
}

/**
 * The environment in which `src/main.ts` starts: a free loopback port, all providers at the emulators of
 * `origin`, no Redis.
 */
export function createServiceEnvironment(t: Teardown, origin: string): Record<string, string> {
  const key = { id: 'test', sha256: hash('sha256', SERVICE_KEY), scopes: ['decide', 'read', 'admin'] };
  const directory = mkdtempSync(join(tmpdir(), 'riskgate-service-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const apiKeysFile = join(directory, 'api-keys.yaml');
  writeFileSync(apiKeysFile, JSON.stringify({ keys: [key] }));
  return {
    ...emulatorEnvironment(VENDORS, origin),
    HOST: '127.0.0.1',
    PORT: '0',
    // Nobody has to be turned away before a test's service closes.
    DRAIN_DELAY_MS: '0',
    API_KEYS_FILE: apiKeysFile,
    ID_HASH_KEY: 'a-key-for-tests-of-32-bytes-or-more',
  };
}

/** A service that listens, as its own process. */
export interface RunningService extends Program {
  readonly origin: string;
}

/** Starts `src/main.ts` and waits until it listens. Rejects when it ends instead. */
export async function startService(t: Teardown, env: Record<string, string>): Promise<RunningService> {
  const program = await startProgram(t, [process.execPath, 'src/main.ts'], { env });
  const [, port] = await program.until(/"event":"service\.listening".*?"port":(\d+)/);
  return { ...program, origin: `http://127.0.0.1:${port}` };
}

/** Asks a running service for a decision. */
export async function askForDecision(origin: string, body: Record<string, unknown>): Promise<Response> {
  return fetch(`${origin}/v1/decide`, {
    method: 'POST',
    headers: { 'x-api-key': SERVICE_KEY, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
}
