import type { ContradictionInput, Finding, Told } from './contradiction.ts';
import { compare, found } from './told.ts';

/** The countries that one side allows for, and what it says that by. None of them is nothing to compare. */
export interface Countries {
  readonly said: string | number;
  readonly countries: readonly string[];
}

/** Two sides whose countries have none in common. `names` are those of what they say. */
export function compareCountries(
  names: readonly [string, string],
  left: Told<Countries>,
  right: Told<Countries>,
): Finding {
  return compare(left, right, (one, other) => {
    if (one.countries.length === 0 || other.countries.length === 0) return 'none';
    const isShared = one.countries.some((country) => other.countries.includes(country));
    const [name, otherName] = names;
    return found(!isShared, {
      [name]: one.said,
      [`${name}_countries`]: [...one.countries],
      [otherName]: other.said,
      [`${otherName}_countries`]: [...other.countries],
    });
  });
}

/** One country, as a side says it. */
export function toCountries(country: Told<string>): Told<Countries> {
  return typeof country === 'string' ? { said: country, countries: [country] } : country;
}

/** What the countries of this request's address are, by the GeoIP file. */
export function requestCountries({ request: { place } }: ContradictionInput): Told<Countries> {
  return toCountries(place === null ? null : place?.country);
}
