import { type ASTNode, type Environment, serialize } from '@marcbachmann/cel-js';
import { greatCircleKm, isOnEarth } from '../great-circle.ts';

/** The countries of an IANA time zone; null for one that is not known. */
export type CountriesOfTimeZone = (zone: string) => readonly string[] | null;

const DISTANCE_KM = 'distance_km';
const COUNTRIES_OF_TIME_ZONE = 'countries_of_time_zone';
const MINUTES_BETWEEN = 'minutes_between';
/** More than any time zone has. */
export const ZONE_COUNTRIES_MAX = 64;

/** As reading an absent signal fails: the condition is unknown. */
function failAsAbsent(message: string): never {
  throw Object.assign(new Error(message), { code: 'no_such_key' });
}

/**
 * Adds the functions about places and times: whole kilometres between two places, whole minutes between two
 * times, whichever comes first, and the countries of a time zone. What cannot be told is an error.
 */
export function registerWorldFunctions(
  environment: Environment,
  countriesOf?: CountriesOfTimeZone,
): Environment {
  return environment
    .registerFunction(`${DISTANCE_KM}(dyn, dyn): int`, (from: unknown, to: unknown) =>
      BigInt(Math.round(greatCircleKm(toPlace(from), toPlace(to)))),
    )
    .registerFunction(`${COUNTRIES_OF_TIME_ZONE}(string): list<string>`, (zone: string) => [
      ...(countriesOf?.(zone) ?? failAsAbsent('No time zone that is known.')),
    ])
    .registerFunction(`${MINUTES_BETWEEN}(int, int): int`, (from: bigint, to: bigint) =>
      toMinutes(Number(from) * 1000, Number(to) * 1000),
    )
    .registerFunction(`${MINUTES_BETWEEN}(string, string): int`, (from: string, to: string) =>
      toMinutes(Date.parse(from), Date.parse(to)),
    );
}

function toPlace(signals: unknown) {
  const latitude: unknown = Reflect.get(Object(signals), 'latitude');
  const longitude: unknown = Reflect.get(Object(signals), 'longitude');
  if (typeof latitude !== 'number' || typeof longitude !== 'number') return failAsAbsent('No place.');
  const place = { latitude, longitude };
  return isOnEarth(place) ? place : failAsAbsent('No place on Earth.');
}

function toMinutes(fromMs: number, toMs: number): bigint {
  const minutes = Math.floor(Math.abs(toMs - fromMs) / 60_000);
  return Number.isSafeInteger(minutes) ? BigInt(minutes) : failAsAbsent('No two times.');
}

/** True for a call whose result is a list of countries. */
export function isCountriesCall(node: ASTNode): boolean {
  return node.op === 'call' && node.args[0] === COUNTRIES_OF_TIME_ZONE;
}

/** What is wrong with a call of these functions that the types do not tell; null where nothing is. */
export function inspectWorldCall(
  node: ASTNode,
  environment: Environment,
  countriesOf: CountriesOfTimeZone | undefined,
): { readonly offset: number; readonly message: string } | null {
  if (node.op !== 'call') return null;
  const [name, operands] = node.args;
  if (name === COUNTRIES_OF_TIME_ZONE && countriesOf === undefined)
    return { offset: node.start, message: `${name}() needs time zones, which are not known here` };
  if (name !== DISTANCE_KM) return null;
  for (const operand of operands) {
    const text = serialize(operand);
    const isPlace = ['latitude', 'longitude'].every(
      (field) => environment.check(`${text}.${field}`).type === 'double',
    );
    if (!isPlace)
      return {
        offset: operand.start,
        message: `${name}() takes signals with latitude and longitude, such as prefactor.last_seen`,
      };
  }
  return null;
}
