/** The load generator: a separate process, so that its CPU time is not counted for the service. */
import { z } from 'zod';
import { announce, answer } from '../child.ts';
import { type LoadClient, LoadConnection, type LoadResponse } from './connection.ts';
import {
  type LoadJob,
  type LoadOrder,
  type LoadResult,
  loadJobSchema,
  loadOrderSchema,
  renderRequest,
  TURN,
  writeTurn,
} from './job.ts';

let current: LoadJob | null = null;
let clients: LoadClient[] = [];
let render = renderRequest;
let rendered: Buffer[] = [];
let sent = 0;
/** The offset of the serial number in every request of the job; -1 for a job without one. */
let turnPlace = -1;

/** Connects; nothing is sent yet. */
answer('open', loadJobSchema, async (job) => {
  current = job;
  sent = 0;
  const { first, count } = job.serials;
  // Loaded on demand: few runs use gRPC.
  const grpc = job.method === 'GRPC' ? await import('./grpc.ts') : null;
  render = grpc === null ? renderRequest : grpc.renderCall;
  rendered = Array.from({ length: count ?? 0 }, (_, place) => render(job, first + place));
  turnPlace = render(job, first).indexOf(TURN);
  clients = grpc === null ? await openConnections(job) : await grpc.openClients(job);
});

/** Keeps every client busy for some seconds, and answers once the last response is there. */
answer('run', loadOrderSchema, (order) => (current === null ? null : run(current, order)));

/** Disconnects, and answers the next number that was not used. */
answer('close', z.null(), () => {
  for (const client of clients) client.close();
  clients = [];
  return (current?.serials.first ?? 0) + sent;
});

announce(0);

function openConnections({ connections, port }: LoadJob): Promise<LoadClient[]> {
  return Promise.all(Array.from({ length: connections }, () => LoadConnection.open(port)));
}

function run(job: LoadJob, { seconds, isTimed, perSecond }: LoadOrder): Promise<LoadResult> {
  const startedAtMs = performance.now();
  const endsAtMs = startedAtMs + seconds * 1000;
  const wanted = Buffer.from(job.mustInclude);
  const latencies: [number, number][] = [];
  let requests = 0;
  let failures = 0;
  let firstFailure: string | null = null;
  let begun = 0;
  const free = [...clients];
  const { promise, resolve } = Promise.withResolvers<LoadResult>();

  const send = (client: LoadClient, dueAtMs: number): void => {
    const { serial, request } = nextRequest(job);
    begun += 1;
    client.send(request, (response) => {
      const nowMs = performance.now();
      const failure = failureOf(response, wanted);
      if (failure === null) requests += 1;
      else failures += 1;
      firstFailure ??= failure;
      if (isTimed && failure === null) latencies.push([serial, nowMs - dueAtMs]);
      if (!(response instanceof Error)) free.push(client);
      else clients = clients.filter((one) => one !== client);
      sendDue();
    });
  };
  const sendDue = (): void => {
    const nowMs = performance.now();
    const isOver = nowMs >= endsAtMs;
    if (isOver && free.length === clients.length) {
      clearInterval(timer);
      resolve({ requests, seconds: (nowMs - startedAtMs) / 1000, failures, firstFailure, latencies });
    }
    const dueAtMs = () => (perSecond === undefined ? nowMs : startedAtMs + (begun / perSecond) * 1000);
    while (!isOver && free.length > 0 && dueAtMs() <= nowMs) send(free.pop() as LoadClient, dueAtMs());
  };
  const timer = perSecond === undefined ? undefined : setInterval(sendDue, 1);
  sendDue();
  return promise;
}

function nextRequest(job: LoadJob): { serial: number; request: Buffer } {
  const { first, count } = job.serials;
  const place = count === null ? sent : sent % count;
  sent += 1;
  const request = rendered[place] ?? render(job, first + place);
  if (turnPlace !== -1) writeTurn(request, turnPlace, sent);
  return { serial: first + place, request };
}

function failureOf(response: LoadResponse | Error, wanted: Buffer): string | null {
  if (response instanceof Error) return response.message;
  if (response.status !== 200) return `status ${response.status}`;
  return response.message.includes(wanted) ? null : `a 200 without ${wanted.toString()}`;
}
