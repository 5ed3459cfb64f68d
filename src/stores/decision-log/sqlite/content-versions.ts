import { randomUUID } from 'node:crypto';
import { type CountsOptions, PERIOD_MS } from '../../../application/decision-log/decision-log.ts';
import type { LogRecord } from '../../../domain/decision-log/decision-record.ts';

/** Hours whose versions are remembered: more than a year. */
const HOURS_MAX = 10_000;
const HOUR_CHARS = 'YYYY-MM-DDTHH'.length;

/** Versions of the content, other ones in each process. */
export class ContentVersions {
  #epoch = randomUUID();
  #changes = 0;
  readonly #hours = new Map<number, number>();

  /** These were added, or are labelled otherwise. */
  change(records: readonly LogRecord[]): void {
    this.#changes += 1;
    for (const hour of hoursOf(records)) this.#hours.set(hour, this.#changes);
    if (this.#hours.size > HOURS_MAX) this.changeAll();
  }

  /** Some were removed. */
  changeAll(): void {
    this.#epoch = randomUUID();
    this.#hours.clear();
  }

  ofAll(): string {
    return `${this.#epoch}.${this.#changes}`;
  }

  ofHours({ sinceMs, untilMs }: Pick<CountsOptions, 'sinceMs' | 'untilMs'>): string[] {
    const versions: string[] = [];
    for (let hour = sinceMs - (sinceMs % PERIOD_MS.hour); hour < untilMs; hour += PERIOD_MS.hour)
      versions.push(`${this.#epoch}.${this.#hours.get(hour) ?? ''}`);
    return versions;
  }
}

/** The hours of decisions, Unix milliseconds, each once: most of a batch are of one. */
function hoursOf(records: readonly LogRecord[]): number[] {
  const hours = new Set<string>();
  for (const record of records)
    if (record.kind === 'decision') hours.add(record.decided_at.slice(0, HOUR_CHARS));
  return [...hours].map((hour) => Date.parse(`${hour}:00:00Z`));
}
