import { Client, credentials, Metadata, type ServiceError } from '@grpc/grpc-js';
import type { Test } from 'tap';
import { ENVOY_CHECK } from './envoy-definition.ts';

/** What Envoy is told: its CheckResponse, or the error of the call. */
export interface EnvoyReply {
  readonly error: ServiceError | null;
  readonly status: number | null;
  /** Of `ok_response` or `denied_response`, in the order sent: name, value, append action. */
  readonly headers: readonly (readonly [string, string, string])[];
  readonly removed: readonly string[];
  readonly denied: { readonly status: string; readonly body: string } | null;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** The end user's request as Envoy describes it. */
export interface EnvoyQuestion {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** In place of `headers`, as with `encode_raw_headers`. */
  readonly rawHeaders?: readonly (readonly [string, string])[];
  /** The address of the end user's connection. */
  readonly source?: string;
  readonly contextExtensions?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** Metadata of the call: what the gateway itself says. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly deadlineMs?: number;
}

interface Struct {
  readonly fields?: Readonly<Record<string, StructValue>>;
}
interface StructValue {
  readonly stringValue?: string;
  readonly listValue?: { readonly values?: readonly StructValue[] };
}
interface Option {
  readonly header: { readonly key: string; readonly value: string };
  readonly append_action: string;
}
interface WireResponse {
  readonly status: { readonly code: number } | null;
  readonly ok_response?: {
    readonly headers?: readonly Option[];
    readonly headers_to_remove?: readonly string[];
  };
  readonly denied_response?: {
    readonly status: { readonly code: string };
    readonly headers?: readonly Option[];
    readonly body: string;
  };
  readonly dynamic_metadata?: Struct;
}

export interface EnvoyClient {
  check(question: EnvoyQuestion): Promise<EnvoyReply>;
  /** Sends a message as it is. */
  checkRaw(message: object, metadata?: Readonly<Record<string, string>>): Promise<EnvoyReply>;
  close(): void;
}

/** A client as Envoy is one: its definitions, on a connection of its own. It closes with the test. */
export function createEnvoyClient(t: Pick<Test, 'teardown'>, port: number): EnvoyClient {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc.use_local_subchannel_pool': 1,
  });
  t.teardown(() => client.close());
  const { path, requestSerialize, responseDeserialize } = ENVOY_CHECK;
  const checkRaw = (message: object, entries: Readonly<Record<string, string>> = {}, deadlineMs?: number) => {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(entries)) metadata.set(name, value);
    const { promise, resolve } = Promise.withResolvers<EnvoyReply>();
    client.makeUnaryRequest(
      path,
      requestSerialize,
      responseDeserialize,
      message,
      metadata,
      deadlineMs === undefined ? {} : { deadline: Date.now() + deadlineMs },
      (error, response?: WireResponse) => resolve(toReply(error, response)),
    );
    return promise;
  };
  return {
    check: ({ metadata, deadlineMs, ...question }) => checkRaw(toMessage(question), metadata, deadlineMs),
    checkRaw,
    close: () => client.close(),
  };
}

function toMessage(question: Omit<EnvoyQuestion, 'metadata' | 'deadlineMs'>): object {
  const {
    method = 'GET',
    path = '/',
    headers = {},
    rawHeaders,
    source,
    contextExtensions,
    body = '',
  } = question;
  const fields =
    rawHeaders === undefined
      ? { headers }
      : {
          header_map: {
            headers: rawHeaders.map(([key, value]) => ({ key, raw_value: Buffer.from(value, 'latin1') })),
          },
        };
  const http = {
    id: '7',
    method,
    path,
    host: 'shop.example',
    scheme: 'https',
    protocol: 'HTTP/2',
    size: -1,
    body,
    ...fields,
  };
  return {
    attributes: {
      ...(source !== undefined && {
        source: {
          address: { socket_address: { address: source, port_value: 4711 } },
          principal: 'spiffe://shop',
        },
      }),
      destination: { address: { socket_address: { address: '10.0.0.9', port_value: 443 } } },
      request: { time: { seconds: 1_700_000_000, nanos: 5 }, http },
      context_extensions: contextExtensions ?? {},
      metadata_context: {},
      tls_session: { sni: 'shop.example' },
    },
  };
}

function toReply(error: ServiceError | null, response: WireResponse | undefined): EnvoyReply {
  const { ok_response: ok, denied_response: denied, dynamic_metadata: metadata, status } = response ?? {};
  return {
    error,
    status: response === undefined ? null : (status?.code ?? 0),
    headers: [...(ok?.headers ?? []), ...(denied?.headers ?? [])].map(
      ({ header, append_action: action }) => [header.key, header.value, action] as const,
    ),
    removed: ok?.headers_to_remove ?? [],
    denied: denied === undefined ? null : { status: denied.status.code, body: denied.body },
    metadata: Object.fromEntries(
      Object.entries(metadata?.fields ?? {}).map(([name, value]) => [name, toPlain(value)]),
    ),
  };
}

function toPlain({ stringValue, listValue }: StructValue): unknown {
  return listValue === undefined ? stringValue : (listValue.values ?? []).map(toPlain);
}
