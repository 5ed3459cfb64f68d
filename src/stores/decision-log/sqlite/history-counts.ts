import {
  type CountsOfPeriod,
  type CountsOptions,
  PERIOD_MS,
} from '../../../application/decision-log/decision-log.ts';
import { countLabel, countName } from '../../../domain/decision-log/record-counts.ts';
import { countFacts, type RecordFacts } from '../../../domain/decision-log/record-facts.ts';
import { COUNTED_MS } from './segment-file.ts';
import type { SegmentReader } from './segment-reader.ts';

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
    const shapes = segment.shapes();
    for (const [start, shape, count] of segment.counts(countedMs, ...span)) {
      const facts = shapes.get(shape);
      if (facts !== undefined) sums.addFacts(start, facts, count);
    }
    for (const [start, series, bucket, count] of segment.latencies(countedMs, ...span))
      sums.add(start, countName('latency', `${series}/${bucket}`), count);
    for (const { atMs, shape, label } of segment.labels(...span)) {
      const facts = shapes.get(shape);
      if (facts === undefined) continue;
      for (const [name, count] of countLabel(facts, null, label)) sums.add(atMs, name, count);
    }
  }
  return sums.read();
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

  /** Oldest first. */
  read(): CountsOfPeriod[] {
    return [...this.#steps]
      .map(([startMs, sums]) => {
        const counts = new Map<string, number>();
        sums.forEach((count, place) => {
          if (count !== 0) counts.set(this.#names[place] ?? '', count);
        });
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
