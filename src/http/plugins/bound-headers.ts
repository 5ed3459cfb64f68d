import type { FastifyInstance } from 'fastify';
import { RiskgateError } from '../../domain/errors.ts';
import { countHeaderBytes } from '../../platform/header-bytes.ts';

/** The largest head of a request on routes of ours: a key, a trace and what browsers send. */
export const HEADER_BYTES_MAX = 16 * 1024;
/** One shared error: a stack trace would cost more than the refusal. */
const TOO_LARGE = new RiskgateError('headers_too_large', 'A head over the limit.');

/**
 * Refuses larger heads, on every route but those of gateways: the parser is set to what gateways may send.
 */
export function boundHeaders(app: FastifyInstance, gateways: { owns(url: string): boolean }): void {
  app.addHook('onRequest', ({ raw, url }, _reply, done) => {
    if (gateways.owns(url) || countHeaderBytes(raw) <= HEADER_BYTES_MAX) done();
    else done(TOO_LARGE);
  });
}
