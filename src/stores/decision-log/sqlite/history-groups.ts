import type {
  DecisionLogReader,
  DistinctSubjects,
  GroupQuestion,
} from '../../../application/decision-log/decision-log.ts';
import { DecisionGroups } from '../../../domain/decision-log/decision-groups.ts';
import { DistinctSketch } from '../../../domain/decision-log/distinct-sketch.ts';
import type { RecordFilter } from '../../../domain/decision-log/record-filter.ts';
import { SubjectTally } from '../../../domain/decision-log/subject-history.ts';
import { SUBJECT_PARTS, type SubjectPartName } from '../../../domain/decision-log/subject-parts.ts';
import type { EntryChunk } from './column-chunk.ts';
import { EntryMatches } from './entry-matches.ts';
import { eachPart, PART_NUMBERS, unpackSubject } from './entry-subjects.ts';
import { groupSegment } from './group-segment.ts';
import { MINUTE_MS } from './segment-columns.ts';
import type { SegmentReader } from './segment-reader.ts';
import { SegmentTally } from './segment-tally.ts';
import { entriesAbout, type FoundEntries, namesSubject } from './subject-entries.ts';
import { TallyMemory } from './tally-memory.ts';

type Answer<Name extends 'group' | 'distinct' | 'subject'> = Awaited<ReturnType<DecisionLogReader[Name]>>;

/** Entries that are looked at one by one for one question: some microseconds each. */
const ENTRIES_MAX = 50_000;
const SUBJECT_ENTRIES_MAX = 5_000;
const HOUR_MS = 60 * MINUTE_MS;

/** Segments, the newest first. */
type Segments = Iterable<SegmentReader>;

/** See DecisionLogReader. `memory` is asked again with the same segments. */
export function groupSegments(
  segments: Segments,
  question: GroupQuestion,
  memory = new TallyMemory(),
): Answer<'group'> {
  const { filter, ...grouping } = question;
  const groups = new DecisionGroups(grouping);
  const budget = new EntryBudget(ENTRIES_MAX);
  for (const segment of segments) {
    if (!namesSubject(filter)) {
      memory.tallyOf(segment, question).addTo(groups);
      continue;
    }
    const about = entriesAbout(segment, filter, budget.left);
    const chunks = segment.columns.chunksOf(about.entries.map(({ seq }) => seq));
    groupSegment(segment, chunks, filter, grouping, new SegmentTally()).addTo(groups);
    if (budget.isSpentBy(segment, about)) break;
  }
  return groups.read(budget.reachedMs);
}

/** See DecisionLogReader. */
export function countDistinct(segments: Segments, filter: RecordFilter): DistinctSubjects {
  const sketches = new Map<number, DistinctSketch>(
    SUBJECT_PARTS.map((part) => [PART_NUMBERS[part], new DistinctSketch()]),
  );
  const budget = new EntryBudget(ENTRIES_MAX);
  for (const segment of segments) {
    const found = entriesToCount(segment, filter, budget.left, (part, data) =>
      sketches.get(part)?.merge(data),
    );
    for (const subject of segment.subjectsOf(found.seqs))
      eachPart(subject, (part, hash) => sketches.get(part)?.add(hash));
    if (budget.isSpentBy(segment, found)) break;
  }
  const counts = SUBJECT_PARTS.map((part) => [part, sketches.get(PART_NUMBERS[part])?.estimate() ?? 0]);
  // `Object.fromEntries` forgets that every part is there.
  const subjects = Object.fromEntries(counts) as Record<SubjectPartName, number>;
  return { subjects, coveredFromMs: budget.reachedMs };
}

/** See DecisionLogReader. */
export function describeSubject(segments: Segments, part: SubjectPartName, hash: string): Answer<'subject'> {
  const tally = new SubjectTally(hash);
  const budget = new EntryBudget(SUBJECT_ENTRIES_MAX);
  for (const segment of segments) {
    const about = entriesAbout(segment, { [part]: [hash] }, budget.left);
    if (about.entries.length > 0) addDecisions(segment, about.entries, tally);
    if (budget.isSpentBy(segment, about)) return tally.read(false);
  }
  return tally.read(true);
}

function addDecisions(segment: SegmentReader, entries: FoundEntries['entries'], tally: SubjectTally): void {
  const labels = segment.labelsAmong(entries.map(({ seq }) => seq));
  for (const { seq, atMs, shape, subject } of entries) {
    const decision = segment.factsOf(shape)?.decision;
    if (decision !== undefined)
      tally.add({ atMs, decision, subject: unpackSubject(subject), label: labels.get(seq) ?? null });
  }
}

/** Entries that may still be looked at. */
class EntryBudget {
  #left: number;
  #reachedMs: number | null = null;

  constructor(max: number) {
    this.#left = max;
  }

  get left(): number {
    return this.#left;
  }

  /** The time of the last one that was looked at, once there are more than may be. */
  get reachedMs(): number | null {
    return this.#reachedMs;
  }

  isSpentBy(segment: SegmentReader, { lookedAt, reached }: Omit<FoundEntries, 'entries'>): boolean {
    this.#left -= lookedAt;
    if (reached === null) return false;
    // Where none could be looked at, it is one that was not counted.
    this.#reachedMs = segment.entryOf(reached).atMs + (lookedAt === 0 ? 1 : 0);
    return true;
  }
}

/**
 * The entries whose subjects are counted one by one. What is in whole hours is given to `tell` instead, as
 * their sketches, unless there is a filter.
 */
function entriesToCount(
  segment: SegmentReader,
  filter: RecordFilter,
  limit: number,
  tell: (part: number, data: Uint8Array) => void,
): MatchingEntries {
  if (namesSubject(filter)) {
    const about = entriesAbout(segment, filter, limit);
    const chunks = segment.columns.chunksOf(about.entries.map(({ seq }) => seq));
    return { ...about, seqs: matchingEntries(segment, chunks, filter, limit).seqs };
  }
  const { since, until, ...rest } = filter;
  if (Object.values(rest).some((value) => value !== undefined))
    return matchingEntries(segment, segment.columns.chunksBack(), filter, limit);
  const fromMs = since === undefined ? 0 : Math.ceil(Date.parse(since) / HOUR_MS) * HOUR_MS;
  const toMs =
    until === undefined ? Number.MAX_SAFE_INTEGER : Math.floor(Date.parse(until) / HOUR_MS) * HOUR_MS;
  const sketched = segment.columns.lastInChunks();
  for (const { part, data } of segment.sketches(fromMs, toMs)) tell(part, data);
  const [fromMinute, toMinute] = [fromMs / MINUTE_MS, toMs / MINUTE_MS];
  return matchingEntries(segment, segment.columns.chunksBack(), filter, limit, {
    isDone: ({ last, firstMinute, lastMinute }) =>
      last <= sketched && firstMinute >= fromMinute && lastMinute < toMinute,
    isDoneAt: (seq, minute) => seq <= sketched && minute >= fromMinute && minute < toMinute,
  });
}

/** What need not be looked at again. */
interface Done {
  isDone(chunk: EntryChunk): boolean;
  isDoneAt(seq: number, minute: number): boolean;
}

const NOTHING_DONE: Done = { isDone: () => false, isDoneAt: () => false };

/** Entries as FoundEntries has them, by their numbers. */
interface MatchingEntries extends Omit<FoundEntries, 'entries'> {
  /** Newest first. */
  readonly seqs: readonly number[];
}

function matchingEntries(
  segment: SegmentReader,
  chunks: Iterable<EntryChunk>,
  filter: RecordFilter,
  limit: number,
  { isDone, isDoneAt }: Done = NOTHING_DONE,
): MatchingEntries {
  const matches = new EntryMatches(segment, filter, { takesOthers: false });
  const seqs: number[] = [];
  for (const chunk of chunks) {
    if (!matches.touches(chunk) || isDone(chunk)) continue;
    const [selection, minutes] = [matches.select(chunk), chunk.column('minute')];
    for (const place of selection.reverse()) {
      const seq = chunk.seqAt(place);
      if (isDoneAt(seq, chunk.firstMinute + (minutes[place] as number))) continue;
      if (seqs.length === limit) return { seqs, lookedAt: limit, reached: seqs.at(-1) ?? seq };
      seqs.push(seq);
    }
  }
  return { seqs, lookedAt: seqs.length, reached: null };
}
