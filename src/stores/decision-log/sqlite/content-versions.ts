import { randomUUID } from 'node:crypto';
import { type CountsOptions, PERIOD_MS } from '../../../application/decision-log/decision-log.ts';

/** Hours whose versions are remembered: more than a year. */
const HOURS_MAX = 10_000;

/** Versions of the content, other ones in each process. */
export class ContentVersions {
  #epoch = randomUUID();
  #changes = 0;
  readonly #hours = new Map<number, number>();

  change(hours: readonly (number | null)[]): void {
    this.#changes += 1;
    for (const hour of hours) if (hour !== null) this.#hours.set(hour, this.#changes);
    if (this.#hours.size > HOURS_MAX) this.changeAll();
  }

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
