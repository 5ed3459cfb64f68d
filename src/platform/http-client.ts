import { isUtf8 } from 'node:buffer';
import { isIP, Socket } from 'node:net';
import type { Dispatcher } from 'undici';
import { createAheadConnector } from './connect-ahead.ts';
import { lookUpAllowed, refusedAddress } from './look-up-allowed.ts';
import { createProxyTunnels, type ProxyTunnels, throughTunnels } from './proxy-tunnel.ts';
import { buildConnector, type Connector, Pool } from './undici.ts';

/** A request to one origin. `path` begins with a slash and is already percent-encoded. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/**
 * A complete response: the whole body was read and is within the size cap. Header names are lower case; the
 * values of a repeated header are joined by commas, so that none hides another.
 */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /**
   * Null where its bytes are not UTF-8: another reader would put other characters in the place of the wrong
   * ones.
   */
  readonly body: string | null;
}

/**
 * How an exchange ended. Never a rejection. `code` is the error code of the socket or of undici, for the log.
 */
export type HttpResult =
  | { readonly kind: 'response'; readonly response: HttpResponse }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'oversized' }
  | { readonly kind: 'failed'; readonly code: string };

/** A pool of connections to one origin. */
export interface HttpClient {
  /**
   * Sends one request and settles within `budgetMs`, whatever the peer does: connect, headers and body are
   * all inside it. Redirects are responses, not followed.
   */
  exchange(request: HttpRequest, budgetMs: number): Promise<HttpResult>;
  /** Destroys the pool and its sockets. */
  close(): Promise<void>;
}

/** A client that can connect before there is anything to send. */
export interface HttpPool extends HttpClient {
  /**
   * Opens the connection that the first exchange will use: name, TCP, proxy and TLS, and no request. True
   * where it is open within `budgetMs`. Never rejects.
   */
  connectAhead(budgetMs: number): Promise<boolean>;
}

/** How a client is built. */
export interface HttpClientOptions {
  /**
   * An `http:` or `https:` URL. Its path, if any, is put before every request's path; it has no query,
   * fragment or credentials.
   */
  readonly baseUrl: string;
  /** Through which the origin is reached; null or absent is directly. */
  readonly proxy?: URL | null;
  readonly connectionsMax?: number;
  /** A longer response body is `oversized`. */
  readonly bodyBytesMax?: number;
  /** How long an idle connection is kept, unless the peer asks for less. */
  readonly keepAliveMs?: number;
  /** Asked about each address of the name when a connection is made; absent allows all. A proxy is not asked. */
  readonly isAddressAllowed?: (address: string) => boolean;
}

/** Connections of one pool: as many upstream calls of one provider as are ever worth having at once. */
const CONNECTIONS_MAX = 128;
/** Providers answer with a few kilobytes; the cap only stops what cannot be an answer. */
const BODY_BYTES_MAX = 256 * 1024;
/** Below the 60 s after which common load balancers drop an idle connection. */
const KEEP_ALIVE_MS = 30_000;
/**
 * Room for two SYN retransmissions (after 1 s and 3 s). It only frees the connection's place: the callers
 * have been answered by their own budgets.
 */
const CONNECT_TIMEOUT_MS = 4_000;
/**
 * Exchanges that may wait behind each connection, abandoned ones included. With more, memory would grow for
 * as long as a peer swallows connections.
 */
const WAITING_PER_CONNECTION_MAX = 8;
/** setTimeout fires at once for anything longer. */
const TIMER_MS_MAX = 2 ** 31 - 1;

/**
 * Builds a client with its own pool of HTTP/1.1 connections. It asks for no compression and undoes none.
 * Throws a TypeError when the base URL cannot serve as one.
 */
export function createHttpClient(options: HttpClientOptions): HttpPool {
  return new PooledHttpClient(options);
}

class PooledHttpClient implements HttpPool {
  readonly #pool: Dispatcher;
  readonly #base: URL;
  readonly #connector: ReturnType<typeof createAheadConnector>;
  readonly #pathPrefix: string;
  readonly #bodyBytesMax: number;
  readonly #outstandingMax: number;
  readonly #tunnels: ProxyTunnels | null;
  readonly #connectingSockets = new Set<Socket>();
  #outstanding = 0;

  constructor(options: HttpClientOptions) {
    const base = parseBaseUrl(options.baseUrl);
    this.#base = base;
    const connections = options.connectionsMax ?? CONNECTIONS_MAX;
    const keepAliveMs = options.keepAliveMs ?? KEEP_ALIVE_MS;
    this.#pathPrefix = base.pathname.replace(/\/+$/, '');
    this.#bodyBytesMax = options.bodyBytesMax ?? BODY_BYTES_MAX;
    this.#outstandingMax = connections * (1 + WAITING_PER_CONNECTION_MAX);
    const { isAddressAllowed } = options;
    const connect = this.#createConnector(isAddressAllowed);
    const { proxy = null } = options;
    this.#tunnels = proxy === null ? null : createProxyTunnels(proxy, connect, CONNECT_TIMEOUT_MS);
    const open = this.#tunnels === null ? connect : throughTunnels(this.#tunnels, connect);
    this.#connector = createAheadConnector(open, keepAliveMs);
    this.#pool = new Pool(base.origin, {
      connections,
      pipelining: 1,
      allowH2: false,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMs,
      // The exchange's own timer covers both; undici's have a granularity of about a second.
      headersTimeout: 0,
      bodyTimeout: 0,
      connect: this.#connector.connect,
    });
  }

  exchange(request: HttpRequest, budgetMs: number): Promise<HttpResult> {
    if (!(budgetMs > 0)) return Promise.resolve({ kind: 'timeout' });
    if (this.#outstanding >= this.#outstandingMax) {
      return Promise.resolve({ kind: 'failed', code: 'POOL_SATURATED' });
    }
    return new Promise((resolve) => {
      this.#outstanding += 1;
      const onFinished = () => {
        this.#outstanding -= 1;
      };
      const handler = new ExchangeHandler(this.#bodyBytesMax, budgetMs, resolve, onFinished);
      const { method, headers, body = null } = request;
      // Invalid requests and closed pools reach the handler as errors too: dispatch does not throw.
      this.#pool.dispatch({ method, headers, body, path: this.#pathPrefix + request.path }, handler);
    });
  }

  connectAhead(budgetMs: number): Promise<boolean> {
    const { host, hostname, protocol, port } = this.#base;
    const options = { host, hostname: hostname.replace(/^\[|\]$/g, ''), protocol, port };
    return this.#connector.openAhead(options, budgetMs);
  }

  async close(): Promise<void> {
    this.#connector.close();
    // The pool forgets sockets that are still connecting, and they would live until they time out.
    for (const socket of this.#connectingSockets) socket.destroy();
    await Promise.all([this.#pool.destroy(), this.#tunnels?.close()]);
  }

  #createConnector(isAddressAllowed?: (address: string) => boolean): Connector {
    const lookup = isAddressAllowed === undefined ? {} : { lookup: lookUpAllowed(isAddressAllowed) };
    const connect = buildConnector({ allowH2: false, timeout: CONNECT_TIMEOUT_MS, ...lookup });
    return (options, callback) => {
      const literal = options.hostname.replace(/^\[|\]$/g, '');
      if (isAddressAllowed !== undefined && isIP(literal) !== 0 && !isAddressAllowed(literal)) {
        callback(refusedAddress(), null);
        return;
      }
      // The socket is returned although the declared type says void.
      const socket: unknown = connect(options, (...outcome) => {
        if (socket instanceof Socket) this.#connectingSockets.delete(socket);
        callback(...outcome);
      });
      if (!(socket instanceof Socket)) return;
      this.#connectingSockets.add(socket);
      socket.once('close', () => this.#connectingSockets.delete(socket));
    };
  }
}

/** One exchange: settles once, by whichever comes first of the response, an error, the cap and the timer. */
class ExchangeHandler implements Dispatcher.DispatchHandler {
  readonly #bodyBytesMax: number;
  readonly #resolve: (result: HttpResult) => void;
  readonly #onFinished: () => void;
  readonly #timer: NodeJS.Timeout;
  readonly #chunks: Buffer[] = [];
  #bodyBytes = 0;
  #status = 0;
  #headers: Readonly<Record<string, string>> = {};
  #controller: Dispatcher.DispatchController | null = null;
  #isSettled = false;
  #isFinished = false;

  constructor(
    bodyBytesMax: number,
    budgetMs: number,
    resolve: (result: HttpResult) => void,
    onFinished: () => void,
  ) {
    this.#bodyBytesMax = bodyBytesMax;
    this.#resolve = resolve;
    this.#onFinished = onFinished;
    // A response that arrived in time is read first, even if this process was too busy to read it sooner.
    const giveUp = () => {
      if (!this.#isSettled) this.#abandon({ kind: 'timeout' });
    };
    this.#timer = setTimeout(() => setImmediate(giveUp), Math.min(budgetMs, TIMER_MS_MAX));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    // Throwing drops a request whose time ran out in the queue before it is sent; aborting here would also
    // destroy the healthy connection it was given.
    if (this.#isSettled) throw new Error('the exchange was over before its request could be sent');
    this.#controller = controller;
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number, headers: RawHeaders): void {
    if (this.#isSettled) return;
    // An informational response (1xx) is overwritten by the final one.
    this.#status = status;
    this.#headers = toJoinedValues(headers);
    if (Number(this.#headers['content-length']) > this.#bodyBytesMax) this.#abandon({ kind: 'oversized' });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#isSettled) return;
    this.#bodyBytes += chunk.length;
    if (this.#bodyBytes > this.#bodyBytesMax) this.#abandon({ kind: 'oversized' });
    else this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    const bytes = Buffer.concat(this.#chunks, this.#bodyBytes);
    const body = isUtf8(bytes) ? bytes.toString('utf8') : null;
    this.#settle({ kind: 'response', response: { status: this.#status, headers: this.#headers, body } });
    this.#finish();
  }

  onResponseError(_controller: Dispatcher.DispatchController | null, error: Error): void {
    this.#settle({ kind: 'failed', code: codeOf(error) });
    this.#finish();
  }

  /** Settles without waiting for the peer, and destroys the socket where there is one. */
  #abandon(result: HttpResult): void {
    this.#settle(result);
    this.#controller?.abort(new Error('the exchange was abandoned'));
  }

  #settle(result: HttpResult): void {
    if (this.#isSettled) return;
    this.#isSettled = true;
    clearTimeout(this.#timer);
    this.#resolve(result);
  }

  #finish(): void {
    if (this.#isFinished) return;
    this.#isFinished = true;
    this.#chunks.length = 0;
    this.#onFinished();
  }
}

type RawHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Without a prototype, so that a header that was not sent is absent whatever its name. */
function toJoinedValues(raw: RawHeaders): Readonly<Record<string, string>> {
  const headers: Record<string, string> = Object.create(null);
  for (const name of Object.keys(raw)) {
    const value = raw[name];
    if (value !== undefined) headers[name] = typeof value === 'string' ? value : value.join(', ');
  }
  return headers;
}

function codeOf(error: Error): string {
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

function parseBaseUrl(text: string): URL {
  const url = new URL(text);
  const isPlain = url.search === '' && url.hash === '' && url.username === '' && url.password === '';
  if (isPlain && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new TypeError('a base URL is http(s) without query, fragment or credentials');
}
