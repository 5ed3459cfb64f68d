import { setTimeout as delay } from 'node:timers/promises';
import { LoadConnection, type LoadResponse } from '../../bench/load/connection.ts';
import { SERVICE_KEY } from '../support/start-service.ts';

const CONNECTIONS = 8;
/** Those of them that ask as one gateway would, each the same questions at about the same time. */
const GATEWAYS = 3;
/** In the answer to a caller, and to a gateway. */
const ID = /(?:"decision_id":"|\r\nx-risk-decision-id: )([0-9a-f-]{36})/i;
/** To a gateway CHALLENGE is 401 and BLOCK 403. */
const DECIDED: ReadonlySet<number> = new Set([200, 401, 403]);
const NOT_YET_MS = 5;

/**
 * Asks on every connection as fast as it is answered, and notes the ids. `ended` resolves when the last
 * connection is gone, with how many answers were outstanding then.
 */
export async function startLoad(
  port: number,
  received: Set<string>,
): Promise<{ readonly ended: Promise<number> }> {
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
