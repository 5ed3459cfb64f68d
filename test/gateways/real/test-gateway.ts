import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { findFreePort, type Program, ROOT, startProgram } from '../../support/start-program.ts';
import { createServiceEnvironment, SERVICE_KEY, startService } from '../../support/start-service.ts';
import { startTcpProxy } from '../../support/tcp-proxy.ts';
import { portOf, startEmulators, until } from '../../support/test-app.ts';
import { startApplication } from './application.ts';
import { runMatrix } from './matrix.ts';
import { type Surroundings, writeRecipe } from './recipe.ts';

/** A gateway program, and how its recipe is run. */
export interface GatewayUnderTest {
  readonly name: string;
  /** Below docs/gateways; the first is the main one. */
  readonly recipes: readonly string[];
  /** How it asks: HTTP unless told otherwise. */
  readonly protocol?: 'http' | 'grpc';
  /** True where the recipe lets the gateway keep an ALLOW. */
  readonly caches: boolean;
  /** Methods that the gateway itself refuses to everybody. */
  readonly refusedMethods?: readonly string[];
  /** False where the recipe makes a plain request of an upgrade. */
  readonly opensWebSockets: boolean;
  /** Writes what surrounds the recipes on a real machine, and says how to run them in the foreground. */
  command(recipes: readonly string[], around: Surroundings): readonly [string, ...string[]];
}

/** Enough for what starts as root and goes on as somebody else. */
const OPEN_TO_ALL = 0o777;

/**
 * Runs the gateway between clients, the application and a real riskgate, and the shared matrix against it.
 */
export async function testGateway(gateway: GatewayUnderTest): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), `riskgate-${gateway.name}-`));
  chmodSync(directory, OPEN_TO_ALL);
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const emulators = await startEmulators(t);
  const application = await startApplication(t);
  const servicePort = await findFreePort();
  const grpcPort = await findFreePort();
  const isGrpc = gateway.protocol === 'grpc';
  const env = {
    ...createServiceEnvironment(t, `http://127.0.0.1:${portOf(emulators.app.server.address())}`),
    PORT: String(servicePort),
    ...(isGrpc ? { GRPC_PORT: String(grpcPort) } : {}),
    GATEWAY_PROFILES_FILE: join(ROOT, 'docs/gateways/profiles.yaml'),
    DECISION_DEADLINE_MS: '1000',
  };
  let service = await startService(t, env);
  const proxy = await startTcpProxy(t, isGrpc ? grpcPort : servicePort);
  const around: Surroundings = {
    riskgatePort: proxy.port,
    applicationPort: application.port,
    gatewayPort: await findFreePort(),
    key: SERVICE_KEY,
    directory,
  };
  const written = gateway.recipes.map((path) => writeRecipe(path, around));
  const program = await startProgram(t, gateway.command(written, around), {
    // Caddy writes its state below HOME.
    env: { PATH: process.env['PATH'], HOME: directory },
  });
  await untilItListens(program, around.gatewayPort);
  await runMatrix(t, {
    ...gateway,
    port: around.gatewayPort,
    application,
    proxy,
    report: async (decisionId, outcome) => {
      const headers = { authorization: `Bearer ${SERVICE_KEY}`, 'content-type': 'application/json' };
      const url = `${service.origin}/v1/decisions/${decisionId}/outcome`;
      return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(outcome) })).status;
    },
    metrics: async () => (await fetch(`${service.origin}/metrics`)).text(),
    stopService: async () => {
      service.child.kill('SIGTERM');
      await service.ended;
    },
    startService: async () => {
      service = await startService(t, env);
    },
  });
}

/** Resolves when the program accepts connections; rejects with what it said when it has ended instead. */
export async function untilItListens(program: Program, port: number): Promise<void> {
  let end: string | null = null;
  void program.ended.then(({ code, stdout, stderr }) => {
    end = `ended with ${code}\n${stdout}${stderr}`;
  });
  await until('the gateway listens', async () => {
    if (end !== null) throw new Error(end);
    return new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1');
      socket.once('connect', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('close', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  });
}
