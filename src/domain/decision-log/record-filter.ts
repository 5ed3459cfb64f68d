import type { DecisionRecord, LogRecord } from './decision-record.ts';
import type { Label } from './outcome-label.ts';
import { type FactsFilter, matchesFacts } from './record-facts.ts';
import { NO_PLACE, placeOf, type RecordPlace } from './record-place.ts';
import { SUBJECT_PARTS, type SubjectPartName, searchedHashesOf } from './subject-parts.ts';

/** The label in force of a decision; null without one. */
export type LabelInForce = Label | null;

/** Stands for decisions without a label. */
export const NO_LABEL = 'none';

/**
 * A filter of decisions. A record must match every field that is given. Identifiers are given as the keyed
 * hashes of the log: those of an identifier under each known key, one of which the record must have. An
 * address is also found by the hash of its network.
 */
export interface RecordFilter
  extends FactsFilter,
    PlaceFilter,
    Readonly<Partial<Record<SubjectPartName, readonly string[] | undefined>>> {
  readonly action?: string | undefined;
  /** Of any part. */
  readonly subject?: readonly string[] | undefined;
  /** The label in force. */
  readonly label?: Label | typeof NO_LABEL | undefined;
  /** Decided at or after `since`, and before `until`, in the format of `decided_at`. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Also matches gap records, by their times alone. */
  readonly includesGaps?: boolean | undefined;
  /** Also matches events, likewise, where it includes gaps. */
  readonly includesEvents?: boolean | undefined;
}

/** A filter by where the address is. `none`: no evidence says. */
interface PlaceFilter {
  readonly country?: string | undefined;
  readonly asn?: number | typeof NO_PLACE | undefined;
}

/** True when the record, whose label in force is `label`, matches the filter. */
export function matchesFilter(record: LogRecord, filter: RecordFilter, label: LabelInForce): boolean {
  const { includesGaps = false, includesEvents = false } = filter;
  if (record.kind === 'gap') return includesGaps && overlaps(record.from, record.until, filter);
  if (record.kind === 'event')
    return includesGaps && includesEvents && overlaps(record.at, record.at, filter);
  return matchesRecord(record, filter) && matchesLabel(label, filter);
}

/** The same without the label. */
function matchesRecord(record: DecisionRecord, filter: RecordFilter): boolean {
  const { since, until } = filter;
  if (since !== undefined && record.decided_at < since) return false;
  if (until !== undefined && record.decided_at >= until) return false;
  if (filter.action !== undefined && record.action !== filter.action) return false;
  return matchesFacts(record, filter) && matchesSubject(record, filter) && isPlaced(record, filter);
}

/** True when the filter is not about labels, or is for this one. */
export function matchesLabel(label: LabelInForce, filter: Pick<RecordFilter, 'label'>): boolean {
  return filter.label === undefined || filter.label === (label ?? NO_LABEL);
}

/** True when the place matches the filter. */
export function matchesPlace(place: RecordPlace, { country, asn }: PlaceFilter): boolean {
  return (
    (country === undefined || country === (place.country ?? NO_PLACE)) &&
    (asn === undefined || asn === (place.asn ?? NO_PLACE))
  );
}

function isPlaced(record: DecisionRecord, filter: PlaceFilter): boolean {
  if (filter.country === undefined && filter.asn === undefined) return true;
  return matchesPlace(placeOf(record), filter);
}

function overlaps(from: string, to: string, { since, until }: RecordFilter): boolean {
  return (since === undefined || to >= since) && (until === undefined || from < until);
}

function matchesSubject({ subject }: DecisionRecord, filter: RecordFilter): boolean {
  const has = (part: SubjectPartName, wanted: readonly string[]) =>
    searchedHashesOf(subject, part).some((hash) => wanted.includes(hash));
  for (const part of SUBJECT_PARTS) {
    const wanted = filter[part];
    if (wanted !== undefined && !has(part, wanted)) return false;
  }
  const { subject: any } = filter;
  return any === undefined || SUBJECT_PARTS.some((part) => has(part, any));
}
