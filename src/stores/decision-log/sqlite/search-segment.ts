import type { LogRecord } from '../../../domain/decision-log/decision-record.ts';
import { labelInForce } from '../../../domain/decision-log/outcome-label.ts';
import { matchesFacts, type RecordFacts } from '../../../domain/decision-log/record-facts.ts';
import { matchesFilter, type RecordFilter } from '../../../domain/decision-log/record-filter.ts';
import { SUBJECT_PARTS, type SubjectPartName } from '../../../domain/decision-log/subject-parts.ts';
import { PART_NUMBERS, toHashKey } from './record-entry.ts';
import { GAP_SHAPE } from './segment-file.ts';
import type { EntryRow, SegmentReader } from './segment-reader.ts';

/** Entries of a segment that match a filter, and how far the search has got. */
interface SegmentMatches {
  /** Newest first. */
  readonly found: readonly { readonly seq: number; readonly text: string }[];
  /** The number down to which all entries have been looked at; null where the segment has no more. */
  readonly reached: number | null;
  /** Entries that were looked at. */
  readonly scanned: number;
}

/** What bounds one search. */
interface SearchBounds {
  /** Only entries below this number. */
  readonly before: number;
  readonly limit: number;
  /** Entries that may be looked at. */
  readonly scanMax: number;
}

/** Gives the newest candidates below a number, newest first, at most so many. */
type Candidates = (before: number, limit: number) => readonly EntryRow[];

/** Shapes that are looked up one by one; with more, all entries are read in their order. */
const SHAPES_LOOKED_UP_MAX = 32;
const STEP = 500;

/** Finds the newest entries that match a filter, within bounds. */
export function searchSegment(
  segment: SegmentReader,
  filter: RecordFilter,
  { before, limit, scanMax }: SearchBounds,
): SegmentMatches {
  const shapes = matchingShapes(segment.shapes(), filter);
  const window = toWindow(filter);
  const candidates = toCandidates(segment, filter, shapes);
  const found: { seq: number; text: string }[] = [];
  let below = Math.min(before, filter.until === undefined ? before : segment.seqAbove(window.untilMs));
  const lowest = filter.since === undefined ? 0 : segment.seqFrom(window.sinceMs);
  let scanned = 0;
  while (below > lowest && scanned < scanMax) {
    const rows = candidates(below, STEP);
    for (const { seq, atMs, shape } of rows) {
      below = seq;
      scanned += 1;
      if (seq < lowest) break;
      if (!isCandidate(shape, shapes, filter) || (shape !== GAP_SHAPE && !isWithin(atMs, window))) continue;
      const text = segment.textOf(seq);
      const label = filter.label === undefined ? null : labelInForce(segment.labelsOf(seq));
      if (!matchesFilter(JSON.parse(text) as LogRecord, filter, label)) continue;
      found.push({ seq, text });
      if (found.length >= limit) return { found, reached: seq, scanned };
    }
    if (rows.length < STEP) return { found, reached: null, scanned };
  }
  return { found, reached: below > lowest ? below : null, scanned };
}

interface Window {
  readonly sinceMs: number;
  readonly untilMs: number;
}

function toWindow({ since, until }: RecordFilter): Window {
  return {
    sinceMs: since === undefined ? Number.NEGATIVE_INFINITY : Date.parse(since),
    untilMs: until === undefined ? Number.POSITIVE_INFINITY : Date.parse(until),
  };
}

function isWithin(atMs: number, { sinceMs, untilMs }: Window): boolean {
  return atMs >= sinceMs && atMs < untilMs;
}

function isCandidate(shape: number, shapes: ReadonlySet<number>, { includesGaps }: RecordFilter): boolean {
  return shape === GAP_SHAPE ? includesGaps === true : shapes.has(shape);
}

function matchingShapes(shapes: ReadonlyMap<number, RecordFacts>, filter: RecordFilter): ReadonlySet<number> {
  const matching = new Set<number>();
  for (const [id, facts] of shapes) if (matchesFacts(facts, filter)) matching.add(id);
  return matching;
}

/** The narrowest of what leads to the matches: a hash, a few shapes, or all entries. */
function toCandidates(segment: SegmentReader, filter: RecordFilter, shapes: ReadonlySet<number>): Candidates {
  const sources = toHashSources(segment, filter);
  // Gaps have no identifiers, and are found by their times alone.
  const gaps: Candidates = (before, limit) => segment.entriesOfShape(GAP_SHAPE, before, limit);
  const withGaps = (narrow: readonly Candidates[]) =>
    merge(filter.includesGaps === true ? [...narrow, gaps] : narrow);
  if (sources !== null) return withGaps(sources);
  if (shapes.size > SHAPES_LOOKED_UP_MAX || shapes.size === segment.shapes().size)
    return (before, limit) => segment.entriesBelow(before, limit);
  return withGaps(
    [...shapes].map(
      (shape) => (before: number, limit: number) => segment.entriesOfShape(shape, before, limit),
    ),
  );
}

function toHashSources(segment: SegmentReader, filter: RecordFilter): readonly Candidates[] | null {
  const sourceOf = (part: SubjectPartName, hash: string) => (before: number, limit: number) =>
    segment.entriesOfSubject(PART_NUMBERS[part], toHashKey(hash), before, limit);
  for (const part of ['telemetry', 'account', 'device', 'visitor', 'ip'] as const) {
    const hashes = filter[part];
    if (hashes !== undefined) return hashes.map((hash) => sourceOf(part, hash));
  }
  return filter.subject?.flatMap((hash) => SUBJECT_PARTS.map((part) => sourceOf(part, hash))) ?? null;
}

/** The newest of several sources, each entry once. */
function merge(sources: readonly Candidates[]): Candidates {
  return (before, limit) => {
    const rows = new Map<number, EntryRow>();
    for (const source of sources) for (const row of source(before, limit)) rows.set(row.seq, row);
    return [...rows.values()].sort((left, right) => right.seq - left.seq).slice(0, limit);
  };
}
