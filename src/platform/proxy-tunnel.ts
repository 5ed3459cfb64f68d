import type { Socket } from 'node:net';
import { type Connector, connectThrough, Pool } from './undici.ts';

/**
 * An error of the way to the peer, not of the peer. `code` begins with PROXY_ and holds a status or the code
 * of a socket.
 */
class ProxyError extends Error {
  readonly code: string;

  constructor(code: string) {
    super('the proxy did not open a tunnel');
    this.code = `PROXY_${code}`;
  }
}

/** Tunnels through one proxy. */
export interface ProxyTunnels {
  /** Resolves to a connection to `authority` (host and port). Rejects with a ProxyError. */
  open(authority: string): Promise<Socket>;
  close(): Promise<void>;
}

/**
 * Opens tunnels by CONNECT. The credentials of `proxy` go to it alone, and into no error. A proxy that does
 * not answer within `timeoutMs` has failed.
 */
export function createProxyTunnels(proxy: URL, connect: Connector, timeoutMs: number): ProxyTunnels {
  // A tunnel takes its connection out of the pool, which then opens another.
  const pool = new Pool(proxy.origin, { connect, headersTimeout: timeoutMs });
  const authorization = toAuthorization(proxy);
  return {
    open: async (authority) => {
      const headers = { host: authority, ...authorization };
      const { statusCode, socket } = await connectThrough(pool, { path: authority, headers }).catch(
        (error: unknown) => {
          throw new ProxyError(codeOf(error));
        },
      );
      // undici types it as a Duplex; it is the socket of the connection.
      if (statusCode === 200) return socket as Socket;
      socket.on('error', () => {}).destroy();
      throw new ProxyError(String(statusCode));
    },
    close: () => pool.destroy(),
  };
}

/** Connects to the peer through a tunnel, in which its TLS begins. */
export function throughTunnels(tunnels: ProxyTunnels, connect: Connector): Connector {
  return (options, callback) => {
    const { hostname, port, protocol } = options;
    const isSecure = protocol === 'https:';
    const host = hostname.includes(':') && !hostname.startsWith('[') ? `[${hostname}]` : hostname;
    tunnels.open(`${host}:${port || (isSecure ? 443 : 80)}`).then(
      (socket) => {
        if (isSecure) connect({ ...options, httpSocket: socket }, callback);
        else callback(null, socket);
      },
      (error: unknown) => callback(error instanceof Error ? error : new Error('no tunnel'), null),
    );
  };
}

function codeOf(error: unknown): string {
  const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : undefined;
  return typeof code === 'string' ? code : 'FAILED';
}

function toAuthorization({ username, password }: URL): { readonly 'proxy-authorization'?: string } {
  if (username === '' && password === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { 'proxy-authorization': `Basic ${Buffer.from(pair).toString('base64')}` };
}
