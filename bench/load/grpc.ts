import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import { ENVOY_CHECK } from '../../test/support/envoy-definition.ts';
import type { LoadClient } from './connection.ts';
import { type LoadJob, SERIAL, toSerialText } from './job.ts';

/** An Envoy has a connection for each of its threads, and many calls on each. */
const CALLS_PER_CONNECTION = 4;
/** Envoy sends its timeout in every call. This one is long enough for a busy machine. */
const TIMEOUT_MS = 5_000;
const CONNECT_WAIT_MS = 5_000;

const asIs = (bytes: Buffer): Buffer => bytes;

/** The message of a call for one number, by Envoy's own definition. */
export function renderCall(job: LoadJob, serial: number): Buffer {
  return ENVOY_CHECK.requestSerialize(JSON.parse(job.body.replaceAll(SERIAL, toSerialText(serial))));
}

/** As many clients as the job has connections; several share each connection. */
export async function openClients(job: LoadJob): Promise<LoadClient[]> {
  const metadata = Metadata.fromHttp2Headers(job.headers);
  const clients = Array.from({ length: Math.ceil(job.connections / CALLS_PER_CONNECTION) }, () => {
    const options = { 'grpc.use_local_subchannel_pool': 1 };
    return new Client(`127.0.0.1:${job.port}`, credentials.createInsecure(), options);
  });
  await Promise.all(clients.map(waitUntilReady));
  return Array.from({ length: job.connections }, (_, place) => {
    const client = clients[place % clients.length];
    if (client === undefined) throw new Error('a client without a connection');
    return toLoadClient(client, metadata);
  });
}

function waitUntilReady(client: Client): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  client.waitForReady(Date.now() + CONNECT_WAIT_MS, (error) => {
    if (error === undefined) resolve();
    else reject(error);
  });
  return promise;
}

function toLoadClient(client: Client, metadata: Metadata): LoadClient {
  return {
    send: (request, settle) => {
      const done = (error: ServiceError | null, message?: Buffer) =>
        settle(error ?? { status: 200, message: message ?? Buffer.alloc(0) });
      const options = { deadline: Date.now() + TIMEOUT_MS };
      client.makeUnaryRequest(ENVOY_CHECK.path, asIs, asIs, request, metadata, options, done);
    },
    close: () => client.close(),
  };
}
