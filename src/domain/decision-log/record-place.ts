import type { DecisionRecord } from './decision-record.ts';

/** Where the address of a decision is, as far as its evidence says. */
export interface RecordPlace {
  /** ISO 3166-1 alpha-2 in upper case. */
  readonly country: string | null;
  /** The number of the autonomous system. */
  readonly asn: number | null;
  /** The name of the autonomous system. */
  readonly asnName: string | null;
}

/** Where nothing is known of it. */
export const NOWHERE: RecordPlace = { country: null, asn: null, asnName: null };

/** Spells a country, an autonomous system or its name that no evidence told. */
export const NO_PLACE = 'none';

/** The country, the autonomous system and its name: each as the first provider says that says one. */
export function placeOf({ providers }: Pick<DecisionRecord, 'providers'>): RecordPlace {
  let country: string | null = null;
  let asn: number | null = null;
  let asnName: string | null = null;
  for (const id in providers) {
    const signals = providers[id]?.signals;
    if (!signals) continue;
    if (country === null && typeof signals['country'] === 'string') country = signals['country'];
    if (asn === null && typeof signals['asn'] === 'number') asn = signals['asn'];
    if (asnName === null && typeof signals['asn_name'] === 'string') asnName = signals['asn_name'];
  }
  return { country, asn, asnName };
}
