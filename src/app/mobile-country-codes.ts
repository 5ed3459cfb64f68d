import { all as allNetworks } from 'mcc-mnc-list';

/** A code, or one with a part of the country behind it (`GE-AB`). */
const COUNTRY = /^([A-Z]{2})(?:-[A-Z\d]{1,3})?$/;
const MCC = /^\d{3}$/;

/**
 * The countries of each mobile country code (ITU-T E.212) by the list of mobile networks that the package is
 * made of. A code that is no country's, such as one of satellites or of test networks, has none.
 */
export function readMobileCountryCodes(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  for (const { mcc, countryCode } of allNetworks()) {
    if (!MCC.test(mcc)) continue;
    const countries = found.get(mcc) ?? new Set();
    // Territories that share a network share its line: `BL/GF/GP/MF/MQ`.
    for (const part of toText(countryCode).split('/')) {
      const country = COUNTRY.exec(part.trim())?.[1];
      if (country !== undefined) countries.add(country);
    }
    found.set(mcc, countries);
  }
  return new Map([...found].map(([mcc, countries]) => [mcc, [...countries].sort()]));
}

/** The package declares a text, where the lines of satellites have none. */
function toText(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
