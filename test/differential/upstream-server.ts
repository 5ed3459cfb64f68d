import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MOBILERUN, PREFACTOR, STYTCH, type UpstreamReply } from './upstream-payloads.ts';

/** Every upstream on one port of loopback. */
export interface UpstreamServer {
  readonly origin: string;
  /** From now on every id is unknown to every provider, or no longer. */
  forgetAll(isForgotten: boolean): void;
  /** Answers are held until so many calls wait, then `onTogether` is called and all are answered. */
  holdUntil(calls: number, onTogether: () => void): void;
  close(): Promise<void>;
}

/**
 * Starts the upstreams. What one says depends on the words of the id alone, `allow~7` at Stytch,
 * `full~active~7` at the device APIs, and on `nowMs`.
 */
export async function startUpstreams(nowMs: () => number): Promise<UpstreamServer> {
  let isForgotten = false;
  let hold: { calls: number; onTogether: () => void } | null = null;
  let held: (() => void)[] = [];
  const answer = (request: IncomingMessage, response: ServerResponse, body: string) => {
    const reply = replyTo(request.url ?? '', body, isForgotten, nowMs());
    if (hold === null) return send(response, reply);
    held.push(() => send(response, reply));
    if (held.length < hold.calls) return;
    const waiting = held;
    hold.onTogether();
    [hold, held] = [null, []];
    for (const release of waiting) release();
  };
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => (body += text));
    request.on('end', () => answer(request, response, body));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    forgetAll: (all) => {
      isForgotten = all;
    },
    holdUntil: (calls, onTogether) => {
      hold = { calls, onTogether };
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function replyTo(url: string, body: string, isForgotten: boolean, nowMs: number): UpstreamReply {
  const path = /^\/(?<provider>[a-z]+)\/(?<rest>.*)$/.exec(url)?.groups ?? {};
  if (path['provider'] === 'stytch') {
    return speak(STYTCH, telemetryIdOf(url, body), 0, isForgotten, nowMs);
  }
  const segment = /(?:devices|device|scores)\/(?<id>[^/?]+)/.exec(path['rest'] ?? '')?.groups?.['id'];
  const id = decodeURIComponent(segment ?? '');
  if (path['provider'] === 'address_score') return scoreOf(id);
  if (path['provider'] === 'mobilerun') return speak(MOBILERUN, id, 0, isForgotten, nowMs);
  return speak(PREFACTOR, id, 1, isForgotten, nowMs);
}

/** Stytch has a lookup by POST and one by GET. */
function telemetryIdOf(url: string, body: string): string {
  if (body === '') return new URL(url, 'http://stytch').searchParams.get('telemetry_id') ?? '';
  return (JSON.parse(body) as { telemetry_id: string }).telemetry_id;
}

/** Of an address with a 9 there is no score. */
function scoreOf(address: string): UpstreamReply {
  if (address.includes('9')) return { status: 404, body: '{"error":"not_found"}' };
  return { status: 200, body: JSON.stringify({ about: address, score: address.length * 5 }) };
}

function speak(
  replies: Readonly<Record<string, (id: string, nowMs: number) => UpstreamReply>>,
  id: string,
  place: number,
  isForgotten: boolean,
  nowMs: number,
): UpstreamReply {
  const word = id.toLowerCase().split('~')[place] ?? '';
  const known = !isForgotten && Object.hasOwn(replies, word) ? replies[word] : replies['unknown'];
  if (known === undefined) throw new Error('the upstream has no answer');
  return known(id, nowMs);
}

function send(response: ServerResponse, reply: UpstreamReply): void {
  if (reply === 'hang') return;
  if (reply === 'reset') return void response.socket?.destroy();
  const { status, body, type = 'application/json', headers = {} } = reply;
  response.writeHead(status, { 'content-type': type, ...headers });
  response.end(body);
}
