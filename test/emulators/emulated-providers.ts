import type { AddressInfo } from 'node:net';
import type { Test } from 'tap';
import { createEmulatorServer, type EmulatorServer } from '../../src/emulators/server.ts';
import type { EmulatorOptions } from '../../src/providers/definition.ts';
import { mobilerunEmulator } from '../../src/providers/mobilerun/emulator.ts';
import { prefactorEmulator } from '../../src/providers/prefactor/emulator.ts';
import { stytchEmulator } from '../../src/providers/stytch/emulator.ts';

/** What a test sends for one id. */
export interface LookupRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly payload?: string;
}

/** The three emulators, and how each is asked about an id. */
export const EMULATED = [
  { id: 'stytch', emulator: async () => stytchEmulator, lookup: stytchLookup },
  { id: 'mobilerun', emulator: async () => mobilerunEmulator, lookup: mobilerunLookup },
  { id: 'prefactor', emulator: async () => prefactorEmulator, lookup: prefactorLookup },
] as const;

/** A server with the three emulators that closes when the test ends. */
export function createEmulators(
  t: Test,
  options: Readonly<Record<string, EmulatorOptions>> = {},
): EmulatorServer {
  const server = createEmulatorServer({ providers: EMULATED, options });
  t.teardown(() => server.app.close());
  return server;
}

/** The same on a free port of loopback. */
export async function listen(
  t: Test,
  options: Readonly<Record<string, EmulatorOptions>> = {},
): Promise<EmulatorServer & { port: number; origin: string }> {
  const server = createEmulators(t, options);
  await server.app.listen({ port: 0, host: '127.0.0.1' });
  const { port } = server.app.server.address() as AddressInfo;
  return { ...server, port, origin: `http://127.0.0.1:${port}` };
}

/** A Basic header for the pair. */
export function basic(projectId: string, secret: string): Record<string, string> {
  return { authorization: `Basic ${Buffer.from(`${projectId}:${secret}`).toString('base64')}` };
}

/** A POST lookup with any credentials. */
export function stytchLookup(telemetryId: string): LookupRequest {
  return {
    method: 'POST',
    url: '/v1/fingerprint/lookup',
    headers: { ...basic('project-test-1', 'secret-test-1'), 'content-type': 'application/json' },
    payload: JSON.stringify({ telemetry_id: telemetryId }),
  };
}

/** A fingerprint request with any key. */
export function mobilerunLookup(deviceId: string): LookupRequest {
  return {
    method: 'GET',
    url: `/v1/devices/${encodeURIComponent(deviceId)}/fingerprint`,
    headers: { authorization: 'Bearer dr_sk_emulated' },
  };
}

/** A fetch-device request with any token. */
export function prefactorLookup(deviceId: string): LookupRequest {
  return {
    method: 'GET',
    url: `/api/v1/device/${encodeURIComponent(deviceId)}`,
    headers: { authorization: 'Bearer emulated' },
  };
}
