import type { DecisionRecord } from './decision-record.ts';

/** Where the address of a decision is, as far as its evidence says. */
export interface RecordPlace {
  /** ISO 3166-1 alpha-2 in upper case. */
  readonly country: string | null;
  /** The number of the autonomous system. */
  readonly asn: number | null;
}

/** Spells a country or an autonomous system that no evidence told. */
export const NO_PLACE = 'none';

/** The country and the autonomous system: each as the first provider says that says one. */
export function placeOf({ providers }: Pick<DecisionRecord, 'providers'>): RecordPlace {
  let country: string | null = null;
  let asn: number | null = null;
  for (const id in providers) {
    const signals = providers[id]?.signals;
    if (!signals) continue;
    if (country === null && typeof signals['country'] === 'string') country = signals['country'];
    if (asn === null && typeof signals['asn'] === 'number') asn = signals['asn'];
  }
  return { country, asn };
}
