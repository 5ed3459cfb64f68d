import type { ReferenceData } from '../domain/contradictions/reference-data.ts';
import { toUserAgentNames } from '../providers/prefactor/user-agent.ts';
import { readMobileCountryCodes } from './mobile-country-codes.ts';
import { countriesOfTimeZone } from './time-zone-countries.ts';

/** What contradictions know of the world beside evidence. The tables are made when they are first read. */
export function createReferenceData(
  placeOfAddress: ReferenceData['placeOfAddress'],
  placesEdition: ReferenceData['placesEdition'] = () => 0,
): ReferenceData {
  let codes: ReturnType<typeof readMobileCountryCodes> | undefined;
  return {
    countriesOfTimeZone,
    countriesOfMcc: (mcc) => {
      codes ??= readMobileCountryCodes();
      return codes.get(mcc) ?? null;
    },
    userAgentOf: (text) => toUserAgentNames(text) ?? null,
    placeOfAddress,
    placesEdition,
  };
}
