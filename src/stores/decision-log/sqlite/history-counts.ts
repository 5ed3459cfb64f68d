import {
  type CountsOfPeriod,
  type CountsOptions,
  PERIOD_MS,
} from '../../../application/decision-log/decision-log.ts';
import { countLabel, countName } from '../../../domain/decision-log/record-counts.ts';
import { countFacts, type RecordFacts } from '../../../domain/decision-log/record-facts.ts';
import { COUNTED_MS } from './segment-file.ts';
import type { SegmentReader } from './segment-reader.ts';
import type { HourSums, SegmentSums } from './segment-summary.ts';

const HOUR_MS = PERIOD_MS.hour;

/** The counts of a history, by the beginning of the period, or of the step. */
export function countHistory(
  reader: { all(span: { readonly sinceMs: number; readonly untilMs: number }): Iterable<SegmentReader> },
  options: CountsOptions,
): CountsOfPeriod[] {
  const { sinceMs, untilMs, period } = options;
  // The last period may go on beyond the end.
  const span = { sinceMs, untilMs: untilMs + PERIOD_MS[period] };
  return countSegments(reader.all(span), options);
}

/** The counts of several segments together, by the beginning of the period, or of the step. */
export function countSegments(
  segments: Iterable<SegmentReader>,
  { sinceMs, untilMs, period, stepMs }: CountsOptions,
): CountsOfPeriod[] {
  const periodMs = PERIOD_MS[period];
  // A period counts by its beginning: what is in it may be before `sinceMs` or after `untilMs`.
  const span = [roundUp(sinceMs, periodMs), roundUp(untilMs, periodMs)] as const;
  const sums = new StepSums(span[0], stepMs ?? periodMs);
  const countedMs = longestWithin(span[0], span[1], stepMs ?? periodMs);
  for (const segment of segments) {
    const known = countedMs % HOUR_MS === 0 ? segment.sums() : null;
    if (known === null) addDecisions(sums, segment, countedMs, span);
    else addSums(sums, known, span);
    for (const { atMs, shape, label } of segment.labels(...span)) {
      const facts = segment.factsOf(shape);
      if (facts === undefined) continue;
      for (const [name, count] of countLabel(facts, null, label)) sums.add(atMs, name, count);
    }
  }
  return sums.read();
}

/** What a summary says of the decisions of a segment. */
export function toSums(segment: SegmentReader): SegmentSums {
  const sums = new StepSums(0, HOUR_MS);
  addDecisions(sums, segment, HOUR_MS, [0, Number.MAX_SAFE_INTEGER]);
  return sums.numbered();
}

type Span = readonly [sinceMs: number, untilMs: number];

/** Adds all but labels. */
function addDecisions(sums: StepSums, segment: SegmentReader, countedMs: number, span: Span): void {
  const shapes = segment.shapes();
  for (const [start, shape, count] of segment.counts(countedMs, ...span)) {
    const facts = shapes.get(shape);
    if (facts !== undefined) sums.addFacts(start, facts, count);
  }
  for (const [start, series, bucket, count] of segment.latencies(countedMs, ...span))
    sums.add(start, countName('latency', `${series}/${bucket}`), count);
}

/** The same of a segment with a summary. */
function addSums(sums: StepSums, { names, hours }: SegmentSums, [sinceMs, untilMs]: Span): void {
  for (const [startMs, counts] of hours)
    if (startMs >= sinceMs && startMs < untilMs)
      for (const [name, count] of counts) sums.add(startMs, names[name] ?? '', count);
}

function roundUp(timeMs: number, periodMs: number): number {
  return Math.ceil(timeMs / periodMs) * periodMs;
}

/** The longest counted period that the steps of a span consist of. */
function longestWithin(sinceMs: number, untilMs: number, stepMs: number): number {
  const fits = COUNTED_MS.filter((ms) => stepMs % ms === 0 && sinceMs % ms === 0 && untilMs % ms === 0);
  return fits.at(-1) ?? PERIOD_MS.minute;
}

/** Sums by step. */
class StepSums {
  readonly #sinceMs: number;
  readonly #stepMs: number;
  readonly #names: string[] = [];
  readonly #places = new Map<string, number>();
  /** The places of the names that each facts raise, one for each time. */
  readonly #ofFacts = new Map<RecordFacts, readonly number[]>();
  /** By place. */
  readonly #steps = new Map<number, number[]>();

  constructor(sinceMs: number, stepMs: number) {
    this.#sinceMs = sinceMs;
    this.#stepMs = stepMs;
  }

  add(timeMs: number, name: string, count: number): void {
    const sums = this.#sumsAt(timeMs);
    const place = this.#placeOf(name);
    sums[place] = (sums[place] ?? 0) + count;
  }

  /** Adds what decisions with these facts count for, so many times. */
  addFacts(timeMs: number, facts: RecordFacts, times: number): void {
    let places = this.#ofFacts.get(facts);
    if (places === undefined) {
      places = [...countFacts(facts)].flatMap(([name, count]) =>
        Array.from({ length: count }, () => this.#placeOf(name)),
      );
      this.#ofFacts.set(facts, places);
    }
    const sums = this.#sumsAt(timeMs);
    for (const place of places) sums[place] = (sums[place] ?? 0) + times;
  }

  /** The same sums, with the names numbered. */
  numbered(): SegmentSums {
    const hours = [...this.#steps].map(([startMs, sums]): HourSums => {
      const counts = sums.map((count, place) => [place, count] as const);
      return [startMs, counts.filter(([, count]) => count !== 0)];
    });
    return { names: this.#names, hours };
  }

  /** Oldest first. */
  read(): CountsOfPeriod[] {
    // In the order of the names, whatever was added first.
    const places = [...this.#places].sort(([left], [right]) => (left < right ? -1 : 1));
    return [...this.#steps]
      .map(([startMs, sums]) => {
        const counts = new Map<string, number>();
        for (const [name, place] of places) {
          const count = sums[place] ?? 0;
          if (count !== 0) counts.set(name, count);
        }
        return { startMs, counts };
      })
      .sort((left, right) => left.startMs - right.startMs);
  }

  #sumsAt(timeMs: number): number[] {
    const startMs = timeMs - ((timeMs - this.#sinceMs) % this.#stepMs);
    let sums = this.#steps.get(startMs);
    if (sums === undefined) {
      sums = [];
      this.#steps.set(startMs, sums);
    }
    return sums;
  }

  #placeOf(name: string): number {
    let place = this.#places.get(name);
    if (place === undefined) {
      place = this.#names.length;
      this.#names.push(name);
      this.#places.set(name, place);
    }
    return place;
  }
}
