import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { LoadConnection, type LoadResponse } from '../../bench/load/connection.ts';
import { SERVICE_KEY, startService } from '../support/start-service.ts';

export interface KillLoopOptions {
  readonly kills: number;
  /** The environment of the service, its log and emulators included. */
  readonly env: Readonly<Record<string, string>>;
  /** The decision ids in the log, asked for while no service runs. */
  readonly readIds: () => Promise<ReadonlySet<string>>;
  readonly random: () => number;
}

export interface KillLoopReport {
  readonly kills: number;
  /** Kills that came while answers were under way. */
  readonly killsUnderLoad: number;
  /** Decision ids that a client received. */
  readonly received: number;
  /** Those of them that the log lacks: none may be. */
  readonly missing: readonly string[];
}

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

const CONNECTIONS = 8;
/** Those of them that ask as one gateway would, each the same questions at about the same time. */
const GATEWAYS = 3;
/** In the answer to a caller, and to a gateway. */
const ID = /(?:"decision_id":"|\r\nx-risk-decision-id: )([0-9a-f-]{36})/i;
/** To a gateway CHALLENGE is 401 and BLOCK 403. */
const DECIDED: ReadonlySet<number> = new Set([200, 401, 403]);
/** The kill comes within so long of the first answers, in which the first hundred records are written. */
const LOAD_MS_MAX = 120;
const NOT_YET_MS = 5;

/** Starts the service, loads it, kills it at a random instant, and starts it again on the same log, so many times. */
export async function runKillLoop(options: KillLoopOptions): Promise<KillLoopReport> {
  const received = new Set<string>();
  let killsUnderLoad = 0;
  await fillCompileCache(options.env);
  for (let kill = 0; kill < options.kills; kill += 1) {
    const teardowns: (() => unknown)[] = [];
    const t: Teardown = { teardown: (handler) => teardowns.push(handler) };
    const { child, origin, ended } = await startService(t, { ...options.env });
    const load = await startLoad(Number(new URL(origin).port), received);
    await delay(options.random() * LOAD_MS_MAX);
    child.kill('SIGKILL');
    if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
    await ended;
    if ((await load.ended) > 0) killsUnderLoad += 1;
    for (const teardown of teardowns) await teardown();
  }
  const logged = await options.readIds();
  const missing = [...received].filter((id) => !logged.has(id));
  return { kills: options.kills, killsUnderLoad, received: received.size, missing };
}

/** Only a process that ends by itself leaves its compiled code behind, and 200 starts are faster with it. */
async function fillCompileCache(env: KillLoopOptions['env']): Promise<void> {
  const teardowns: (() => unknown)[] = [];
  const { child, ended } = await startService({ teardown: (handler) => teardowns.push(handler) }, { ...env });
  child.kill('SIGTERM');
  await ended;
  for (const teardown of teardowns) await teardown();
}

/** Asks on every connection as fast as it is answered, and notes the ids. `ended` resolves when the last connection is gone, with how many answers were outstanding then. */
async function startLoad(port: number, received: Set<string>): Promise<{ readonly ended: Promise<number> }> {
  const first = Promise.withResolvers<void>();
  const asking = Array.from({ length: CONNECTIONS }, async (_, place): Promise<number> => {
    const connection = await LoadConnection.open(port);
    for (let serial = 0; ; serial += 1) {
      const request = place < CONNECTIONS - GATEWAYS ? toRequest(place) : toGatewayRequest(serial);
      const response = await new Promise<LoadResponse | Error>((resolve) => {
        connection.send(request, resolve);
      });
      if (response instanceof Error) {
        connection.close();
        return 1;
      }
      const id = ID.exec(response.message.toString('latin1'))?.[1];
      if (DECIDED.has(response.status) && id !== undefined) {
        received.add(id);
        first.resolve();
      } else if (response.status === 503) {
        // Until its Redis is connected a service has nowhere to record to, and says so.
        await delay(NOT_YET_MS);
      } else throw new Error(`an answer without a decision: ${response.status}`);
    }
  });
  await Promise.race([first.promise, Promise.all(asking)]);
  return { ended: Promise.all(asking).then((outstanding) => outstanding.reduce((sum, one) => sum + one, 0)) };
}

function toRequest(place: number): Buffer {
  const body = JSON.stringify({ telemetry_id: `fault-slow-0-${place}`, device_id: `fault-slow-0-${place}` });
  const head = [
    'POST /v1/decide HTTP/1.1',
    'Host: service',
    `X-API-Key: ${SERVICE_KEY}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
}

function toGatewayRequest(serial: number): Buffer {
  const head = [
    'GET /v1/gateway/nginx/default HTTP/1.1',
    'Host: service',
    `X-Riskgate-Key: ${SERVICE_KEY}`,
    'X-Original-Method: GET',
    `X-Original-URI: /shop/${serial}`,
    'X-Telemetry-ID: fault-slow-0-gateway',
    'X-Device-ID: fault-slow-0-gateway',
  ];
  return Buffer.from(`${head.join('\r\n')}\r\n\r\n`);
}
