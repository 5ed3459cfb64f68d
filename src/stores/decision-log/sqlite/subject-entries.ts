import type { RecordFilter } from '../../../domain/decision-log/record-filter.ts';
import { SUBJECT_PARTS } from '../../../domain/decision-log/subject-parts.ts';
import type { SubjectEntry } from './entry-keys.ts';
import { hasPart } from './entry-subjects.ts';
import type { SegmentReader } from './segment-reader.ts';

/** True where a filter names a subject: its entries are then found by their hashes. */
export function namesSubject(filter: RecordFilter): boolean {
  return filter.subject !== undefined || SUBJECT_PARTS.some((part) => filter[part] !== undefined);
}

/** Some entries of one segment, newest first. */
export interface FoundEntries {
  readonly entries: readonly SubjectEntry[];
  /** How many were looked at. */
  readonly lookedAt: number;
  /**
   * The last one that was looked at, or the first one that was not where none may be, if there are others; null
   * where there are none.
   */
  readonly reached: number | null;
}

/** The entries about the subjects of a filter, of the newest ones that are looked at: so many at most. */
export function entriesAbout(segment: SegmentReader, filter: RecordFilter, limit: number): FoundEntries {
  const named = SUBJECT_PARTS.flatMap((part) => {
    const hashes = filter[part];
    return hashes === undefined ? [] : [{ part, hashes }];
  });
  const { subject: any } = filter;
  const asked =
    named[0] === undefined ? SUBJECT_PARTS.map((part) => ({ part, hashes: any ?? [] })) : [named[0]];
  const lists = asked.flatMap(({ part, hashes }) =>
    hashes.map((hash) => segment.factsOfSubject(part, hash, limit + 1)),
  );
  const newest = lists.length === 1 ? (lists[0] ?? []) : newestOf(lists);
  const looked = newest.slice(0, limit);
  const entries = looked.filter(
    ({ subject }) =>
      named.every(({ part, hashes }) => hasPart(subject, part, hashes)) &&
      (any === undefined || SUBJECT_PARTS.some((part) => hasPart(subject, part, any))),
  );
  return {
    entries,
    lookedAt: looked.length,
    reached: newest.length > limit ? ((looked.at(-1) ?? newest[0])?.seq ?? null) : null,
  };
}

/** The entries of several lists, each once. */
function newestOf(lists: readonly (readonly SubjectEntry[])[]): readonly SubjectEntry[] {
  const found = new Map(lists.flat().map((entry) => [entry.seq, entry]));
  return [...found.values()].sort((left, right) => right.seq - left.seq);
}
