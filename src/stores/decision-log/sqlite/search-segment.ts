import { labelInForce } from '../../../domain/decision-log/outcome-label.ts';
import { matchesFilter, type RecordFilter } from '../../../domain/decision-log/record-filter.ts';
import { SUBJECT_PARTS, type SubjectPartName } from '../../../domain/decision-log/subject-parts.ts';
import { EntryMatches } from './entry-matches.ts';
import type { SegmentReader } from './segment-reader.ts';

/** Entries of a segment that match a filter, and how far the search has got. */
interface SegmentMatches {
  /** Newest first. */
  readonly found: readonly { readonly seq: number; readonly text: string }[];
  /** The number down to which all entries have been looked at; null where the segment has no more. */
  readonly reached: number | null;
  /** What was looked at, in units of one record that was read. */
  readonly cost: number;
}

/** What bounds one search. */
interface SearchBounds {
  /** Only entries below this number. */
  readonly before: number;
  readonly limit: number;
  readonly costMax: number;
}

/** Entries that may match, newest first, with what it has cost to get there; null where there is none yet. */
type Candidates = Iterable<{ readonly seq: number | null; readonly below: number; readonly cost: number }>;

/** Entries of a source that are read together. */
const STEP = 200;
/** A chunk of columns is looked through in the time in which some records are read. */
const CHUNK_COST = 0.1;

/** The parts of a subject, that which most likely has the fewest decisions first. */
const NARROWEST_FIRST = ['telemetry', 'account', 'device', 'visitor', 'ip'] as const;

/** Finds the newest entries that match a filter, within bounds. */
export function searchSegment(
  segment: SegmentReader,
  filter: RecordFilter,
  { before, limit, costMax }: SearchBounds,
): SegmentMatches {
  const found: { seq: number; text: string }[] = [];
  const untilMs = filter.until === undefined ? null : Date.parse(filter.until);
  const top = untilMs === null ? before : Math.min(before, segment.seqAbove(untilMs));
  const lowest = filter.since === undefined ? 0 : segment.seqFrom(Date.parse(filter.since));
  let cost = 0;
  for (const candidate of toCandidates(segment, filter, top, lowest)) {
    cost += candidate.cost;
    const { seq } = candidate;
    if (seq !== null) {
      const record = segment.recordOf(seq);
      const label = filter.label === undefined ? null : labelInForce(segment.labelsOf(seq));
      if (matchesFilter(record, filter, label)) found.push({ seq, text: JSON.stringify(record) });
    }
    if (found.length >= limit || cost >= costMax) return { found, reached: candidate.below, cost };
  }
  return { found, reached: null, cost };
}

function toCandidates(
  segment: SegmentReader,
  filter: RecordFilter,
  before: number,
  lowest: number,
): Candidates {
  const sources = toHashSources(segment, filter);
  if (sources === null) return byColumns(segment, filter, before, lowest);
  // Gaps have no identifiers, and are found by their times alone.
  const gaps: Source = (below, limit) => segment.gapsBelow(below, limit);
  return bySources(filter.includesGaps === true ? [...sources, gaps] : sources, before, lowest);
}

function* byColumns(
  segment: SegmentReader,
  filter: RecordFilter,
  before: number,
  lowest: number,
): Candidates {
  const matches = new EntryMatches(segment, filter, { takesOthers: true });
  for (const chunk of segment.columns.chunksBack()) {
    if (chunk.first >= before) continue;
    if (chunk.last < lowest) return;
    yield { seq: null, below: Math.min(before, chunk.last + 1), cost: CHUNK_COST };
    if (!matches.touches(chunk)) continue;
    for (const place of matches.select(chunk).reverse()) {
      const seq = chunk.seqAt(place);
      if (seq < before && seq >= lowest) yield { seq, below: seq, cost: 1 };
    }
  }
}

/** Gives the numbers of the newest entries below a number, newest first, at most so many. */
type Source = (below: number, limit: number) => readonly number[];

function toHashSources(segment: SegmentReader, filter: RecordFilter): readonly Source[] | null {
  const sourceOf =
    (part: SubjectPartName, hash: string): Source =>
    (below, limit) =>
      segment.entriesOfSubject(part, hash, below, limit);
  for (const part of NARROWEST_FIRST) {
    const hashes = filter[part];
    if (hashes !== undefined) return hashes.map((hash) => sourceOf(part, hash));
  }
  return filter.subject?.flatMap((hash) => SUBJECT_PARTS.map((part) => sourceOf(part, hash))) ?? null;
}

/** The newest of several sources, each entry once. */
function* bySources(sources: readonly Source[], before: number, lowest: number): Candidates {
  let below = before;
  for (;;) {
    const seqs = new Set(sources.flatMap((source) => source(below, STEP)));
    const newest = [...seqs].sort((left, right) => right - left).slice(0, STEP);
    for (const seq of newest) {
      if (seq < lowest) return;
      below = seq;
      yield { seq, below, cost: 1 };
    }
    if (newest.length < STEP) return;
  }
}
