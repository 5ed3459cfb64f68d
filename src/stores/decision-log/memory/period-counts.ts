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

const PERIODS: readonly CountPeriod[] = ['minute', 'five_minutes', 'hour'];

/** The part of a time, as it is written in records, that says the minute. */
const MINUTE_CHARS = 'YYYY-MM-DDTHH:MM'.length;

/**
 * Counts by minute, five minutes and hour. Every count is added once: the periods learn of the present minute
 * when the next one begins.
 */
export class PeriodCounts {
  readonly #hoursKeptMs: number;
  readonly #periods: Readonly<Record<CountPeriod, Periods>> = {
    minute: new Map(),
    five_minutes: new Map(),
    hour: new Map(),
  };
  /** How often counts were added to an hour, by its beginning; those of the present minute are beside it. */
  readonly #additions = new Map<number, number>();
  #presentAdditions = 0;
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
    this.#presentAdditions += 1;
  }

  /** Adds counts to the periods of a time. */
  add(timeMs: number, more: Counts): void {
    for (const period of PERIODS) addCounts(periodOf(this.#periods[period], startOf(timeMs, period)), more);
    const hour = startOf(timeMs, 'hour');
    this.#additions.set(hour, (this.#additions.get(hour) ?? 0) + 1);
  }

  /** See DecisionLogReader. */
  versions({ sinceMs, untilMs }: Pick<CountsOptions, 'sinceMs' | 'untilMs'>): readonly string[] {
    const versions: string[] = [];
    for (let hour = startOf(sinceMs, 'hour'); hour < untilMs; hour += PERIOD_MS.hour) {
      const present = hour === startOf(this.#presentMs, 'hour') ? this.#presentAdditions : 0;
      versions.push(`${this.#additions.get(hour) ?? ''}.${present}`);
    }
    return versions;
  }

  read({ sinceMs, untilMs, period }: CountsOptions): readonly CountsOfPeriod[] {
    const found = new Map<number, Counts>();
    for (const [startMs, counts] of this.#periods[period])
      if (startMs >= sinceMs && startMs < untilMs) found.set(startMs, counts);
    const presentMs = startOf(this.#presentMs, period);
    if (presentMs >= sinceMs && presentMs < untilMs) {
      const present = this.#tally.read();
      addCounts(present, found.get(presentMs) ?? new Map());
      if (present.size > 0) found.set(presentMs, present);
    }
    return [...found]
      .map(([startMs, counts]) => ({ startMs, counts }))
      .sort((left, right) => left.startMs - right.startMs);
  }

  #turn(startMs: number): void {
    const ended = this.#tally.read();
    this.#tally = new DecisionTally();
    if (ended.size > 0) this.add(this.#presentMs, ended);
    this.#presentMs = startMs;
    forget(this.#periods.minute, startMs - MINUTES_KEPT_MS);
    forget(this.#periods.five_minutes, startMs - MINUTES_KEPT_MS);
    forget(this.#periods.hour, startMs - this.#hoursKeptMs);
    forget(this.#additions, startMs - this.#hoursKeptMs);
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

function forget(periods: Map<number, unknown>, beforeMs: number): void {
  for (const startMs of periods.keys()) if (startMs < beforeMs) periods.delete(startMs);
}
