import {
  type CountPeriod,
  type CountsOfPeriod,
  type CountsOptions,
  MINUTES_KEPT_MS,
  PERIOD_MS,
} from '../../application/decision-log.ts';
import { addCounts, type Counts } from '../../domain/record-counts.ts';

type Periods = Map<number, Map<string, number>>;

/** Counts by minute and hour. Every count is added once: hours learn of a minute when the next one begins. */
export class PeriodCounts {
  readonly #hoursKeptMs: number;
  readonly #minutes: Periods = new Map();
  readonly #hours: Periods = new Map();
  #presentMs = Number.NEGATIVE_INFINITY;

  constructor(hoursKeptMs: number) {
    this.#hoursKeptMs = hoursKeptMs;
  }

  /** The counts of the minute that `timeMs` lies in, to be added to by whoever has just asked. */
  minuteOf(timeMs: number): Map<string, number> {
    const startMs = startOf(timeMs, 'minute');
    if (startMs > this.#presentMs) this.#turn(startMs);
    return periodOf(this.#minutes, startMs);
  }

  /** Adds counts to a period that may be long over. */
  add(timeMs: number, more: Counts): void {
    const startMs = startOf(timeMs, 'minute');
    addCounts(this.minuteOf(timeMs), more);
    if (startMs < this.#presentMs) addCounts(periodOf(this.#hours, startOf(timeMs, 'hour')), more);
  }

  /** True when the minute is over, so that what is added to it has to be added by `add`. */
  isOver(timeMs: number): boolean {
    return startOf(timeMs, 'minute') < this.#presentMs;
  }

  read({ sinceMs, untilMs, period }: CountsOptions): readonly CountsOfPeriod[] {
    const periods = period === 'minute' ? this.#minutes : this.#withPresent();
    return [...periods]
      .filter(([startMs]) => startMs >= sinceMs && startMs < untilMs)
      .map(([startMs, counts]) => ({ startMs, counts }))
      .sort((left, right) => left.startMs - right.startMs);
  }

  #turn(startMs: number): void {
    const ended = this.#minutes.get(this.#presentMs);
    if (ended !== undefined) addCounts(periodOf(this.#hours, startOf(this.#presentMs, 'hour')), ended);
    this.#presentMs = startMs;
    forget(this.#minutes, startMs - MINUTES_KEPT_MS);
    forget(this.#hours, startMs - this.#hoursKeptMs);
  }

  #withPresent(): Periods {
    const present = this.#minutes.get(this.#presentMs);
    if (present === undefined) return this.#hours;
    const hourMs = startOf(this.#presentMs, 'hour');
    const counts = new Map(this.#hours.get(hourMs));
    addCounts(counts, present);
    return new Map(this.#hours).set(hourMs, counts);
  }
}

function startOf(timeMs: number, period: CountPeriod): number {
  return timeMs - (timeMs % PERIOD_MS[period]);
}

function periodOf(periods: Periods, startMs: number): Map<string, number> {
  let counts = periods.get(startMs);
  if (counts === undefined) {
    counts = new Map();
    periods.set(startMs, counts);
  }
  return counts;
}

function forget(periods: Periods, beforeMs: number): void {
  for (const startMs of periods.keys()) if (startMs < beforeMs) periods.delete(startMs);
}
