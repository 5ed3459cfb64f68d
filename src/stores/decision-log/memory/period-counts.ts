import {
  type CountPeriod,
  type CountsOfPeriod,
  type CountsOptions,
  MINUTES_KEPT_MS,
  PERIOD_MS,
} from '../../../application/decision-log/decision-log.ts';
import type { DecisionRecord } from '../../../domain/decision-log/decision-record.ts';
import { DecisionTally } from '../../../domain/decision-log/decision-tally.ts';
import { addCounts, type Counts } from '../../../domain/decision-log/record-counts.ts';

type Periods = Map<number, Map<string, number>>;

/** The part of a time, as it is written in records, that says the minute. */
const MINUTE_CHARS = 'YYYY-MM-DDTHH:MM'.length;

/** Counts by minute and hour. Every count is added once: minutes and hours learn of the present minute when the next one begins. */
export class PeriodCounts {
  readonly #hoursKeptMs: number;
  readonly #minutes: Periods = new Map();
  readonly #hours: Periods = new Map();
  #tally = new DecisionTally();
  #presentMs = Number.NEGATIVE_INFINITY;
  #presentText = '';

  constructor(hoursKeptMs: number) {
    this.#hoursKeptMs = hoursKeptMs;
  }

  count(record: DecisionRecord): void {
    if (!record.decided_at.startsWith(this.#presentText) || this.#presentText === '') {
      const timeMs = Date.parse(record.decided_at);
      const startMs = startOf(timeMs, 'minute');
      if (startMs < this.#presentMs) {
        const late = new DecisionTally();
        late.add(record);
        this.add(timeMs, late.read());
        return;
      }
      this.#turn(startMs);
      this.#presentText = record.decided_at.slice(0, MINUTE_CHARS);
    }
    this.#tally.add(record);
  }

  /** Adds counts to the periods of a time. */
  add(timeMs: number, more: Counts): void {
    addCounts(periodOf(this.#minutes, startOf(timeMs, 'minute')), more);
    addCounts(periodOf(this.#hours, startOf(timeMs, 'hour')), more);
  }

  read({ sinceMs, untilMs, period }: CountsOptions): readonly CountsOfPeriod[] {
    const periods = new Map<number, Counts>(period === 'minute' ? this.#minutes : this.#hours);
    const present = this.#tally.read();
    if (present.size > 0) {
      const startMs = startOf(this.#presentMs, period);
      addCounts(present, periods.get(startMs) ?? new Map());
      periods.set(startMs, present);
    }
    return [...periods]
      .filter(([startMs]) => startMs >= sinceMs && startMs < untilMs)
      .map(([startMs, counts]) => ({ startMs, counts }))
      .sort((left, right) => left.startMs - right.startMs);
  }

  #turn(startMs: number): void {
    const ended = this.#tally.read();
    this.#tally = new DecisionTally();
    if (ended.size > 0) this.add(this.#presentMs, ended);
    this.#presentMs = startMs;
    forget(this.#minutes, startMs - MINUTES_KEPT_MS);
    forget(this.#hours, startMs - this.#hoursKeptMs);
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
