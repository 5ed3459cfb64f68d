import type { FastifyInstance } from 'fastify';
import { RiskgateError } from '../../domain/errors.ts';
import { hasDuplicateNames } from '../../platform/json-names.ts';

/**
 * Reads application/json, and no other type, for the routes registered after it: prototype names are refused
 * by Fastify's own parser, and so is here a name that stands twice in one object (RFC 7493). `JSON.parse`
 * takes the last of two, others take the first: a gateway would have checked another id than the one that is
 * decided about. Where a route takes no body an empty one is none.
 */
export function readUnambiguousJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  // Fastify reads text/plain too, which a fetch without a content type sends.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    // Many clients send the type with every request, and so with those of routes that take no body.
    if (text === '' && request.routeOptions.schema?.body === undefined) {
      done(null);
      return;
    }
    void parse(request, text, (error, value: unknown) => {
      if (error === null && hasDuplicateNames(text, value)) done(duplicateName());
      else done(error, value);
    });
  });
}

/**
 * Refuses a body in a content coding, which nothing here undoes, for the routes registered after it that have
 * a body.
 */
export function refuseCodings(app: FastifyInstance): void {
  app.addHook('preParsing', (request, _reply, payload, done) => {
    const coding = request.headers['content-encoding']?.toLowerCase() ?? 'identity';
    const hasBody = request.routeOptions.schema?.body !== undefined;
    if (hasBody && coding !== 'identity' && coding !== '') done(codedBody());
    else done(null, payload);
  });
}

function codedBody(): RiskgateError {
  return new RiskgateError('unsupported_media_type', 'A body in a content coding.', {
    publicDetail: 'Send the body as it is, without `Content-Encoding`.',
  });
}

function duplicateName(): RiskgateError {
  return new RiskgateError('malformed_body', 'A name stands twice in one object.', {
    publicDetail: 'A name stands twice in one object.',
  });
}
