import type { DecisionRecord, LogRecord } from './decision-record.ts';
import { type FactsFilter, matchesFacts } from './record-facts.ts';

/**
 * A filter of decisions. A record must match every field that is given. Identifiers are given as the keyed
 * hashes of the log.
 */
export interface RecordFilter extends FactsFilter {
  readonly action?: string | undefined;
  /** The hashes of an identifier under each known key: the record must match one of them. */
  readonly telemetry?: readonly string[] | undefined;
  readonly device?: readonly string[] | undefined;
  readonly account?: readonly string[] | undefined;
  /** Decided at or after `since`, and before `until`, in the format of `decided_at`. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Also matches gap records, by their times alone. */
  readonly includesGaps?: boolean | undefined;
  /** Also matches events, likewise, where it includes gaps. */
  readonly includesEvents?: boolean | undefined;
}

/** True when the record matches the filter. */
export function matchesFilter(record: LogRecord, filter: RecordFilter): boolean {
  const { since, until } = filter;
  const { includesGaps = false, includesEvents = false } = filter;
  if (record.kind === 'gap') return includesGaps && overlaps(record.from, record.until, filter);
  if (record.kind === 'event')
    return includesGaps && includesEvents && overlaps(record.at, record.at, filter);
  if (since !== undefined && record.decided_at < since) return false;
  if (until !== undefined && record.decided_at >= until) return false;
  if (filter.action !== undefined && record.action !== filter.action) return false;
  return matchesFacts(record, filter) && matchesSubject(record, filter);
}

function overlaps(from: string, to: string, { since, until }: RecordFilter): boolean {
  return (since === undefined || to >= since) && (until === undefined || from < until);
}

function matchesSubject({ subject }: DecisionRecord, { telemetry, device, account }: RecordFilter): boolean {
  return (
    isAmong(telemetry, subject.telemetry) &&
    isAmong(account, subject.account) &&
    (device === undefined || device.some((hash) => subject.devices.includes(hash)))
  );
}

function isAmong(wanted: readonly string[] | undefined, hash: string | null): boolean {
  return wanted === undefined || (hash !== null && wanted.includes(hash));
}
