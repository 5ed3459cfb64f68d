import type { CustomFetch } from 'openid-client';
import { createHttpClient, type HttpClient } from '../http-client.ts';

/** The issuer could not be asked, or its answer could not be used. `code` is for the log. */
export class IssuerUnavailable extends Error {
  override readonly name = 'IssuerUnavailable';
  readonly code: string;

  constructor(code: string) {
    super(`the issuer cannot be asked: ${code}`);
    this.code = code;
  }
}

interface FetchByClientsOptions {
  readonly findProxy: (url: URL) => URL | null;
}

/** A person waits for it. */
const BUDGET_MS = 8_000;
/** An issuer names few origins: its own, and perhaps one for keys. */
const ORIGINS_MAX = 4;
const CONNECTIONS_MAX = 8;

/**
 * Fetches by our own HTTP client: through the proxies of the configuration, within one budget, without following
 * redirects, and no more than the client's bytes. Rejects with IssuerUnavailable.
 */
export function fetchByClients({ findProxy }: FetchByClientsOptions): {
  readonly fetch: CustomFetch;
  close(): Promise<void>;
} {
  const clients = new Map<string, HttpClient>();
  const clientOf = (url: URL): HttpClient => {
    const known = clients.get(url.origin);
    if (known !== undefined) return known;
    if (clients.size >= ORIGINS_MAX) throw new IssuerUnavailable('TOO_MANY_ORIGINS');
    const client = createHttpClient({
      baseUrl: url.origin,
      proxy: findProxy(url),
      connectionsMax: CONNECTIONS_MAX,
    });
    clients.set(url.origin, client);
    return client;
  };
  return {
    fetch: async (address, { method, headers, body }) => {
      const url = new URL(address);
      const result = await clientOf(url).exchange(
        {
          method: method === 'POST' ? 'POST' : 'GET',
          path: `${url.pathname}${url.search}`,
          headers,
          // The library sends forms alone.
          ...(body instanceof URLSearchParams && { body: body.toString() }),
        },
        BUDGET_MS,
      );
      if (result.kind !== 'response')
        throw new IssuerUnavailable(result.kind === 'failed' ? result.code : result.kind);
      const { status, headers: received, body: text } = result.response;
      if (status >= 500 || status === 429) throw new IssuerUnavailable(String(status));
      return new Response(text === '' ? null : text, { status, headers: received });
    },
    close: async () => {
      await Promise.all([...clients.values()].map((client) => client.close()));
    },
  };
}
