import type { ReferenceData } from '../domain/contradictions/reference-data.ts';
import { toUserAgentNames } from '../providers/prefactor/user-agent.ts';
import { mobileCountryCodes } from './mobile-country-codes.ts';
import { countriesOfTimeZone } from './time-zone-countries.ts';

/** What contradictions know of the world beside evidence. */
export function createReferenceData(
  placeOfAddress: ReferenceData['placeOfAddress'],
  placesEdition: ReferenceData['placesEdition'] = () => 0,
): ReferenceData {
  // Now, and not for the first decision that asks.
  const codes = mobileCountryCodes();
  return {
    countriesOfTimeZone,
    countriesOfMcc: (mcc) => codes.get(mcc) ?? null,
    userAgentOf: (text) => toUserAgentNames(text) ?? null,
    placeOfAddress,
    placesEdition,
  };
}
