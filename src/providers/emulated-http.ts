import type { FastifyInstance, FastifyReply } from 'fastify';

/** A complete HTTP answer of an emulator. An empty body is sent with Content-Length 0. */
export interface EmulatedAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The headers of an HTML page. */
export const HTML_HEADERS = { 'content-type': 'text/html; charset=utf-8' } as const;

/**
 * Makes a plug-in's scope take any body of any content type as a string, and answer Fastify's own refusals
 * (too large, aborted) in the vendor's shape.
 */
export function acceptAnything(app: FastifyInstance, toError: (status: number) => EmulatedAnswer): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'string' }, (_request, body, done) => done(null, body));
  app.setErrorHandler<Error & { statusCode?: number }>((error, _request, reply) =>
    sendAnswer(reply, toError(error.statusCode ?? 500)),
  );
}

/** The token of a `Bearer` header, or null without a well-formed one. */
export function bearerToken(authorization: string | undefined): string | null {
  return /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? null;
}

/** The percent-decoded segments of a request's path, its query left out; null where an escape is broken. */
export function pathSegments(url: string): readonly string[] | null {
  const [path = ''] = url.split('?', 1);
  try {
    return path.split('/').slice(1).map(decodeURIComponent);
  } catch {
    // A URIError: the only thing decodeURIComponent throws.
    return null;
  }
}

/** Sends a complete answer; the body goes out as it is, whatever its content type says. */
export function sendAnswer(reply: FastifyReply, answer: EmulatedAnswer): FastifyReply {
  return reply
    .code(answer.status)
    .headers({ ...answer.headers })
    .send(answer.body);
}

/** An answer with a JSON body. */
export function jsonAnswer(status: number, value: unknown, contentType = 'application/json'): EmulatedAnswer {
  return { status, headers: { 'content-type': contentType }, body: JSON.stringify(value) };
}

/** The kind of page that a proxy in front of an API answers with. */
export function htmlAnswer(status: number, title: string): EmulatedAnswer {
  const body = `<html><head><title>${status} ${title}</title></head><body><h1>${title}</h1></body></html>\n`;
  return { status, headers: HTML_HEADERS, body };
}
