import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Test } from 'tap';
import { portOf, until } from './test-app.ts';

/** A span as OTLP/JSON carries it. `kind` 2 is a server, 3 a client; `status.code` 2 is an error. */
export interface ReceivedSpan {
  readonly name: string;
  readonly kind: number;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly status: { readonly code?: number };
  readonly attributes: Readonly<Record<string, unknown>>;
}

export interface OtlpReceiver {
  readonly endpoint: string;
  /** Everything that has arrived, decoded, in the order of arrival. */
  spans(): readonly ReceivedSpan[];
  /** The bodies and headers as they came. */
  text(): string;
  /** Resource attributes of the latest batch. */
  resource(): Readonly<Record<string, unknown>>;
  /** What every later export is answered with; 0 leaves it unanswered. */
  answerWith(status: number): void;
  untilSpans(count: number): Promise<void>;
}

interface KeyValue {
  readonly key: string;
  readonly value: Readonly<Record<string, unknown>>;
}

type WireSpan = Omit<ReceivedSpan, 'attributes'> & { readonly attributes: readonly KeyValue[] };

interface Batch {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly KeyValue[] };
    readonly scopeSpans: readonly { readonly spans: readonly WireSpan[] }[];
  }[];
}

/** A collector of traces on a free port of loopback, which ends with the test. */
export async function startOtlpReceiver(t: Pick<Test, 'teardown'>): Promise<OtlpReceiver> {
  const batches: Batch[] = [];
  let text = '';
  let status = 200;
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request);
    text += `${request.url} ${JSON.stringify(request.headers)}\n${body}\n`;
    if (status === 0) return;
    if (status === 200 && request.url === '/v1/traces') batches.push(JSON.parse(body) as Batch);
    response.writeHead(status, { 'content-type': 'application/json' }).end('{}');
  };
  const server = createServer((request, response) => void answer(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const spans = () =>
    batches
      .flatMap(({ resourceSpans }) => resourceSpans)
      .flatMap(({ scopeSpans }) => scopeSpans)
      .flatMap((scope) => scope.spans)
      .map((span) => ({ ...span, attributes: toRecord(span.attributes) }));
  return {
    endpoint: `http://127.0.0.1:${portOf(server.address())}`,
    spans,
    text: () => text,
    resource: () => toRecord(batches.at(-1)?.resourceSpans[0]?.resource.attributes ?? []),
    answerWith: (next) => {
      status = next;
    },
    untilSpans: (count) => until(`${count} spans have arrived`, () => spans().length >= count),
  };
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function toRecord(attributes: readonly KeyValue[]): Record<string, unknown> {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, toValue(value)]));
}

function toValue(value: Readonly<Record<string, unknown>>): unknown {
  const list = value['arrayValue'] as { readonly values?: readonly Record<string, unknown>[] } | undefined;
  if (list !== undefined) return (list.values ?? []).map(toValue);
  return value['stringValue'] ?? value['boolValue'] ?? value['intValue'] ?? value['doubleValue'];
}
