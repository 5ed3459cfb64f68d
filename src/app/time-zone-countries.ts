import { getAllTimezones } from 'countries-and-timezones';

/**
 * The countries of each IANA time zone, by its name in lower case. Names of one zone have the same countries:
 * systems and browsers write any of them, so that `Europe/Oslo` is Berlin's too. `Etc/UTC` and its like have
 * none.
 */
function readTimeZoneCountries(): ReadonlyMap<string, readonly string[]> {
  const zones = Object.values(getAllTimezones({ deprecated: true }));
  const found = new Map<string, Set<string>>();
  for (const { name, aliasOf, countries } of zones) {
    const own = aliasOf ?? name;
    const all = found.get(own) ?? new Set();
    for (const country of countries) all.add(country);
    found.set(own, all);
  }
  return new Map(
    zones.map(({ name, aliasOf }) => [name.toLowerCase(), [...(found.get(aliasOf ?? name) ?? [])].sort()]),
  );
}

let zones: ReturnType<typeof readTimeZoneCountries> | undefined;

/** The countries of a time zone; null for one that is not known. The table is made at first use. */
export function countriesOfTimeZone(zone: string): readonly string[] | null {
  zones ??= readTimeZoneCountries();
  return zones.get(zone.toLowerCase()) ?? null;
}
