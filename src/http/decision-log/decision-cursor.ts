import { hash } from 'node:crypto';
import type { LogPosition } from '../../application/decision-log/decision-log.ts';
import type { RecordFilter } from '../../domain/decision-log/record-filter.ts';
import { RiskgateError } from '../../domain/errors.ts';

/** The version of the shape of cursors: one of another shape is refused, not misread. */
const SHAPE = 1;
const FINGERPRINT_CHARS = 16;

/** An opaque cursor for what stands before a position, for one filter alone. */
export function toCursor(position: LogPosition, filter: RecordFilter): string {
  return Buffer.from(`${SHAPE} ${fingerprintOf(filter)} ${position}`).toString('base64url');
}

/** The position of a cursor. Throws `invalid_request` for what is none, or belongs to another filter. */
export function readCursor(cursor: string, filter: RecordFilter): LogPosition {
  const [shape, fingerprint, position, ...rest] = Buffer.from(cursor, 'base64url').toString().split(' ');
  const isOurs = shape === String(SHAPE) && rest.length === 0 && /^[!-~]{1,128}$/.test(position ?? '');
  if (!isOurs || position === undefined) throw refused('is not a cursor of this service');
  if (fingerprint !== fingerprintOf(filter)) throw refused('belongs to other filters');
  return position;
}

function refused(detail: string): RiskgateError {
  return new RiskgateError('invalid_request', 'A cursor that cannot be used.', {
    fields: [{ pointer: 'cursor', detail }],
  });
}

/**
 * The same for the same filter, in whatever order it was asked. The filter holds keyed hashes in place of
 * identifiers.
 */
function fingerprintOf(filter: RecordFilter): string {
  const fields = Object.entries(filter).sort(([left], [right]) => (left < right ? -1 : 1));
  return hash('sha256', JSON.stringify(fields), 'base64url').slice(0, FINGERPRINT_CHARS);
}
