import type { ReferenceData } from '../domain/contradictions/reference-data.ts';
import { toUserAgentNames } from '../providers/prefactor/user-agent.ts';
import { readMobileCountryCodes } from './mobile-country-codes.ts';
import { readTimeZoneCountries } from './time-zone-countries.ts';

/** What contradictions know of the world beside evidence. The tables are made when they are first read. */
export function createReferenceData(): ReferenceData {
  let zones: ReturnType<typeof readTimeZoneCountries> | undefined;
  let codes: ReturnType<typeof readMobileCountryCodes> | undefined;
  return {
    countriesOfTimeZone: (zone) => {
      zones ??= readTimeZoneCountries();
      return zones.get(zone.toLowerCase()) ?? null;
    },
    countriesOfMcc: (mcc) => {
      codes ??= readMobileCountryCodes();
      return codes.get(mcc) ?? null;
    },
    userAgentOf: (text) => toUserAgentNames(text) ?? null,
    placeOfAddress: () => null,
  };
}
