import { LRUCache } from 'lru-cache';
import type { GroupQuestion } from '../../../application/decision-log/decision-log.ts';
import { groupSegment } from './group-segment.ts';
import type { SegmentReader } from './segment-reader.ts';
import { SegmentTally } from './segment-tally.ts';

interface Remembered {
  readonly tally: SegmentTally;
  /** Of the file when it was counted: a label changes it. */
  readonly version: number;
}

/** Numbers and names of all tallies that are remembered: about 10 bytes each. */
const SIZE_MAX = 3_000_000;

/**
 * Counts segments, and remembers what it has counted of those that lie within a window and to which no more
 * is appended: a question that is asked again looks at the present day and at both ends of the window alone.
 */
export class TallyMemory {
  readonly #tallies = new LRUCache<string, Remembered>({
    maxSize: SIZE_MAX,
    sizeCalculation: ({ tally }) => tally.size + 1,
  });
  readonly #numbers = new WeakMap<SegmentReader, number>();
  #segments = 0;

  /** The decisions of a segment that match the filter, which names no subject. */
  tallyOf(segment: SegmentReader, { filter, ...grouping }: GroupQuestion): SegmentTally {
    const { since, until, ...rest } = filter;
    const count = () => groupSegment(segment, segment.columns.chunks(), filter, grouping, new SegmentTally());
    if (!isWithin(segment, toMs(since, 0), toMs(until, Number.MAX_SAFE_INTEGER))) return count();
    const { sinceMs, stepMs, by } = grouping;
    const key = JSON.stringify([this.#numberOf(segment), rest, by, stepMs, sinceMs % stepMs]);
    // Asked before it is counted: what changes meanwhile is counted again.
    const version = segment.dataVersion();
    const known = this.#tallies.get(key);
    if (known?.version === version) return known.tally;
    const tally = count();
    this.#tallies.set(key, { tally, version });
    return tally;
  }

  #numberOf(segment: SegmentReader): number {
    let number = this.#numbers.get(segment);
    if (number === undefined) {
      this.#segments += 1;
      number = this.#segments;
      this.#numbers.set(segment, number);
    }
    return number;
  }
}

/** Whether all entries stand in chunks whose minutes lie in a span: no more will come, or there are just enough. */
function isWithin(segment: SegmentReader, sinceMs: number, untilMs: number): boolean {
  const span = segment.columns.span();
  if (span === null || span.firstMs < sinceMs || span.untilMs > untilMs) return false;
  return segment.range()?.last === segment.columns.lastInChunks();
}

function toMs(time: string | undefined, otherwise: number): number {
  return time === undefined ? otherwise : Date.parse(time);
}
