import type { Contradiction, ContradictionInput, Finding, Told } from './contradiction.ts';
import { type Countries, compareCountries, requestCountries, toCountries } from './countries.ts';
import type { CountriesOfCodes } from './reference-data.ts';
import { anyOf, textOf } from './told.ts';

/** A clock that is set to another part of the world than the address is in. */
export const TIME_ZONE_COUNTRY: Contradiction = {
  id: 'time_zone_country',
  family: 'place',
  meaning:
    "A time zone of Prefactor's last interaction or of Mobilerun is used in none of the countries of the addresses: those of Stytch, of Prefactor's last interaction, and of the request with a GeoIP file. Zones are sets of countries (`Europe/Berlin` is DE, DK, NO, SE, SJ); `Etc/UTC` and its like are of none and are not compared.",
  reads: ['stytch', 'mobilerun', 'prefactor', 'request'],
  find: (input: ContradictionInput): Finding => {
    const { evidence, reference } = input;
    const { stytch, mobilerun, prefactor } = evidence;
    const zones = [
      ['prefactor_time_zone', toZone(textOf(prefactor, 'last_seen', 'time_zone'), reference)],
      ['mobilerun_time_zone', toZone(textOf(mobilerun, 'time_zone'), reference)],
    ] as const;
    const addresses = [
      ['prefactor_country', toCountries(textOf(prefactor, 'last_seen', 'country'))],
      ['stytch_country', toCountries(textOf(stytch, 'country'))],
      ['request_country', requestCountries(input)],
    ] as const;
    return anyOf(
      zones.flatMap(([zoneName, zone]) =>
        addresses.map(([name, address]) => compareCountries([zoneName, name], zone, address)),
      ),
    );
  },
};

/** A zone that nobody knows is lost. */
function toZone(zone: Told<string>, reference: CountriesOfCodes): Told<Countries> {
  if (typeof zone !== 'string') return zone;
  const countries = reference.countriesOfTimeZone(zone);
  return countries === null ? null : { said: zone, countries };
}
