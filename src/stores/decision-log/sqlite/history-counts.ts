import {
  type CountPeriod,
  type CountsOfPeriod,
  type CountsOptions,
  PERIOD_MS,
} from '../../../application/decision-log/decision-log.ts';
import { labelInForce } from '../../../domain/decision-log/outcome-label.ts';
import { type Counts, countLabel, countName } from '../../../domain/decision-log/record-counts.ts';
import { countFacts, type RecordFacts } from '../../../domain/decision-log/record-facts.ts';
import type { COUNTED_PERIODS } from './segment-file.ts';
import type { SegmentReader } from './segment-reader.ts';

/** The counted periods that make up each period. */
const COUNTED_AS: Readonly<Record<CountPeriod, (typeof COUNTED_PERIODS)[number]>> = {
  minute: 'minute',
  five_minutes: 'minute',
  hour: 'hour',
};

/** The counts of several segments together, by the beginning of the period. */
export function countSegments(
  segments: Iterable<SegmentReader>,
  { sinceMs, untilMs, period }: CountsOptions,
): CountsOfPeriod[] {
  const periods = new PeriodSums(PERIOD_MS[period]);
  const countedMs = PERIOD_MS[COUNTED_AS[period]];
  // A period counts by its beginning: what is in it may be before `sinceMs` or after `untilMs`.
  const span = [roundUp(sinceMs, PERIOD_MS[period]), roundUp(untilMs, PERIOD_MS[period])] as const;
  for (const segment of segments) {
    const rows = segment.counts(countedMs, ...span);
    const latencies = segment.latencies(countedMs, ...span);
    const labels = segment.labels(...span);
    const shapes = segment.shapes();
    for (const { start, shape, count } of rows) periods.addShape(start, shapes.get(shape), count);
    for (const { start, series, bucket, count } of latencies)
      periods.add(start, countName('latency', `${series}/${bucket}`), count);
    for (const { atMs, shape, history } of labels) {
      const facts = shapes.get(shape);
      if (facts !== undefined) periods.addAll(atMs, countLabel(facts, null, labelInForce(history)), 1);
    }
  }
  return periods.read();
}

function roundUp(timeMs: number, periodMs: number): number {
  return Math.ceil(timeMs / periodMs) * periodMs;
}

/** Sums by period. */
class PeriodSums {
  readonly #periodMs: number;
  readonly #sums = new Map<number, Map<string, number>>();
  readonly #ofFacts = new Map<RecordFacts, Counts>();

  constructor(periodMs: number) {
    this.#periodMs = periodMs;
  }

  add(timeMs: number, name: string, count: number): void {
    const startMs = timeMs - (timeMs % this.#periodMs);
    let sums = this.#sums.get(startMs);
    if (sums === undefined) {
      sums = new Map();
      this.#sums.set(startMs, sums);
    }
    sums.set(name, (sums.get(name) ?? 0) + count);
  }

  addAll(timeMs: number, counts: Counts, times: number): void {
    for (const [name, count] of counts) this.add(timeMs, name, count * times);
  }

  addShape(timeMs: number, facts: RecordFacts | undefined, times: number): void {
    if (facts === undefined) return;
    let counts = this.#ofFacts.get(facts);
    if (counts === undefined) {
      counts = countFacts(facts);
      this.#ofFacts.set(facts, counts);
    }
    this.addAll(timeMs, counts, times);
  }

  /** Oldest first. */
  read(): CountsOfPeriod[] {
    return [...this.#sums]
      .map(([startMs, counts]) => ({ startMs, counts }))
      .sort((left, right) => left.startMs - right.startMs);
  }
}
