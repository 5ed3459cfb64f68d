/** A request to one origin. `path` begins with a slash and is already percent-encoded. */
export interface HttpRequest {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** A complete response: the whole body was read and is within the size cap. Header names are lower case; a repeated header keeps its first value. */
export interface HttpResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** How an exchange ended. Never a rejection. `code` is the error code of the socket or of undici, for the log. */
export type HttpResult =
  | { readonly kind: 'response'; readonly response: HttpResponse }
  | { readonly kind: 'timeout' }
  | { readonly kind: 'oversized' }
  | { readonly kind: 'failed'; readonly code: string };

export interface HttpClient {
  /** Sends one request and settles within `budgetMs`, whatever the peer does: connect, headers and body are all inside it. Redirects are responses, not followed. */
  exchange(request: HttpRequest, budgetMs: number): Promise<HttpResult>;
  /** Destroys the pool and its sockets. */
  close(): Promise<void>;
}
