/** Why a request had no answer that can be used. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  /** 0 where nothing answered at all. */
  readonly status: number;
  readonly retryAfterMs: number | null;

  constructor(status: number, message: string, retryAfterMs: number | null = null) {
    super(message);
    this.status = status;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Query parameters; those without a value are left out. */
export type Query = Readonly<Record<string, string | undefined>>;

interface RequestOptions {
  /** GET unless set. */
  readonly method?: 'POST' | 'PUT' | 'DELETE';
  /** Sent as JSON. */
  readonly body?: object;
  readonly signal?: AbortSignal;
  readonly headers?: Readonly<Record<string, string>>;
  /** Answers to questions about a person are kept nowhere, the browser's own cache included. */
  readonly cache?: 'no-store' | 'no-cache';
}

/**
 * The service, asked with one API key or with the session that the browser holds. A key stays in this closure: it
 * is in no URL and no storage.
 */
export interface ApiClient {
  /** The parsed answer. Rejects with ApiError, or with the reason of `signal`. */
  get<Answer>(path: string, query?: Query, options?: RequestOptions): Promise<Answer>;
  /** The response itself, once it is a success. Rejects as `get` does. */
  open(path: string, query?: Query, options?: RequestOptions): Promise<Response>;
}

/** Builds a client that asks with `key`; null asks with the session. */
export function createApiClient(key: string | null, fetchNow: typeof fetch = fetch): ApiClient {
  const open = async (path: string, query: Query = {}, options: RequestOptions = {}): Promise<Response> => {
    const { signal, cache = 'no-store', method = 'GET', body } = options;
    const headers = { ...options.headers, ...(body && { 'content-type': 'application/json' }) };
    const response = await fetchNow(toAddress(path, query), {
      method,
      headers: key === null ? headers : { ...headers, authorization: `Bearer ${key}` },
      cache,
      ...(body && { body: JSON.stringify(body) }),
      // Even a request with a key may bring a session, which the browser is to keep.
      credentials: 'same-origin',
      ...(signal && { signal }),
    }).catch((error: unknown) => {
      signal?.throwIfAborted();
      throw new ApiError(0, error instanceof Error ? error.message : 'no answer');
    });
    if (!response.ok) throw await toError(response);
    return response;
  };
  return {
    open,
    get: async <Answer>(path: string, query?: Query, options?: RequestOptions) => {
      const response = await open(path, query, options);
      // The service answers as wire.ts says; the caller names the type.
      return (await response.json()) as Answer;
    },
  };
}

/** Relative to the page, so that a proxy may put the service below a path. */
function toAddress(path: string, query: Query): string {
  const given = Object.entries(query).filter((pair): pair is [string, string] => pair[1] !== undefined);
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given)}`;
}

interface Problem {
  readonly detail?: string;
  readonly title?: string;
  /** What is wrong with which field. */
  readonly errors?: readonly { readonly pointer: string; readonly detail: string }[];
}

async function toError(response: Response): Promise<ApiError> {
  const seconds = Number(response.headers.get('retry-after') ?? Number.NaN);
  const problem: unknown = await response.json().catch(() => null);
  // Of a proxy it may be anything.
  const { detail, title, errors = [] } = (problem ?? {}) as Problem;
  const told = errors.map((error) => `${error.pointer.replace(/^\//, '')} ${error.detail}`).join(', ');
  const message = told || (detail ?? title ?? `The service answered ${response.status}.`);
  return new ApiError(response.status, message, Number.isFinite(seconds) ? seconds * 1000 : null);
}
