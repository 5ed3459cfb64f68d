import type { Coordinates } from './great-circle.ts';

/** Where a request came from, as evidence has it; null where evidence does not tell. */
export interface SubjectPlace {
  /** ISO 3166-1 alpha-2. */
  readonly country: string | null;
  /** The number of the autonomous system. */
  readonly asn: number | null;
  /** Where it is on Earth; absent where nothing says so. */
  readonly coordinates?: Coordinates | null;
}
