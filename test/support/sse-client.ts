import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import { until } from './test-app.ts';

export interface ReceivedEvent {
  readonly event: string;
  readonly id: string | null;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into many shapes.
  readonly data: any;
}

/** A client of server-sent events that writes down what it gets. */
export interface SseClient {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly events: readonly ReceivedEvent[];
  /** The id that a browser would come back with. */
  readonly lastEventId: string | null;
  readonly isClosed: boolean;
  /** The ids of the decisions so far. */
  decisions(): string[];
  until(what: string, condition: (events: readonly ReceivedEvent[]) => boolean): Promise<void>;
  /** Stops reading without closing, and goes on. */
  pause(): void;
  resume(): void;
  close(): void;
}

/** Opens a stream and waits for its head. */
export async function openSse(
  t: { teardown(handler: () => unknown): unknown },
  port: number,
  options: { readonly path?: string; readonly key: string; readonly lastEventId?: string | null },
): Promise<SseClient> {
  const { path = '/v1/decisions/stream', key, lastEventId = null } = options;
  const headers = {
    authorization: `Bearer ${key}`,
    ...(lastEventId !== null && { 'last-event-id': lastEventId }),
  };
  const sent = request({ port, host: '127.0.0.1', path, headers, agent: false });
  sent.end();
  t.teardown(() => sent.destroy());
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  const events: ReceivedEvent[] = [];
  let rest = '';
  let isClosed = false;
  let latest: string | null = lastEventId;
  response.setEncoding('utf8');
  response.on('data', (chunk: string) => {
    const frames = (rest + chunk).split('\n\n');
    rest = frames.pop() ?? '';
    for (const frame of frames) {
      const fields = new Map(
        frame
          .split('\n')
          .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2)]),
      );
      const id = fields.get('id') ?? null;
      latest = id ?? latest;
      const event = fields.get('event');
      if (event !== undefined) events.push({ event, id, data: JSON.parse(fields.get('data') ?? 'null') });
    }
  });
  response.on('error', () => {});
  response.on('close', () => {
    isClosed = true;
  });
  return {
    status: response.statusCode ?? 0,
    headers: response.headers,
    events,
    get lastEventId() {
      return latest;
    },
    get isClosed() {
      return isClosed;
    },
    decisions: () =>
      events.filter(({ event }) => event === 'decision').map(({ data }) => data.decision_id as string),
    until: (what, condition) => until(what, () => condition(events)),
    pause: () => void response.pause(),
    resume: () => void response.resume(),
    close: () => sent.destroy(),
  };
}
