import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { Operator } from 'mcc-mnc-list';

/** A code, or one with a part of the country behind it (`GE-AB`). */
const COUNTRY = /^([A-Z]{2})(?:-[A-Z\d]{1,3})?$/;
const MCC = /^\d{3}$/;

// The package keeps every line for as long as the process lives: 3 MB, of which the codes alone are needed.
const LIST = createRequire(import.meta.url).resolve('mcc-mnc-list/mcc-mnc-list.json');

let codes: ReadonlyMap<string, readonly string[]> | undefined;

/** As readMobileCountryCodes, which is done once in a process. */
export function mobileCountryCodes(): ReadonlyMap<string, readonly string[]> {
  codes ??= readMobileCountryCodes();
  return codes;
}

/**
 * The countries of each mobile country code (ITU-T E.212) by the list of mobile networks that the package is
 * made of. A code that is no country's, such as one of satellites or of test networks, has none.
 */
function readMobileCountryCodes(): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, Set<string>>();
  // The version is pinned, and with another layout the service does not start.
  const networks = JSON.parse(readFileSync(LIST, 'utf8')) as readonly Operator[];
  for (const { mcc, countryCode } of networks) {
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
