import type { FastifyInstance } from 'fastify';
import { RiskgateError } from '../../domain/errors.ts';
import { hasDuplicateNames } from '../../platform/json-names.ts';

/**
 * Reads application/json, and no other type, for the routes registered after it: prototype names are refused by Fastify's own parser, and so is here a name that stands twice in one object (RFC 7493).
 * `JSON.parse` takes the last of two, others take the first: a gateway would have checked another id than the one that is decided about.
 */
export function readUnambiguousJson(app: FastifyInstance): void {
  const parse = app.getDefaultJsonParser('error', 'error');
  // Fastify reads text/plain too, which a fetch without a content type sends.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser<string>('application/json', { parseAs: 'string' }, (request, text, done) => {
    void parse(request, text, (error, value: unknown) => {
      if (error === null && hasDuplicateNames(text, value)) done(duplicateName());
      else done(error, value);
    });
  });
}

function duplicateName(): RiskgateError {
  return new RiskgateError('malformed_body', 'A name stands twice in one object.', {
    publicDetail: 'A name stands twice in one object.',
  });
}
