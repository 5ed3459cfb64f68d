import { type Coordinates, isOnEarth } from '../great-circle.ts';

const HEX_DIGITS = 12;
const CHARS_MAX = 6;

/** The name of a value that is known by a keyed hash: its first 48 bits, which are enough for 64 values. */
export function nameOfHash(hash: string): number {
  // 0 stands for no value.
  return Number.parseInt(hash.slice(0, HEX_DIGITS), 16) || 1;
}

/** Places are told apart by tenths of a degree. */
const STEPS = 10;
const LONGITUDES = 360 * STEPS + 1;

/** The name of a place: which tenth of a degree it is in. */
export function nameOfPlace({ latitude, longitude }: Coordinates): number {
  const row = Math.round((latitude + 90) * STEPS);
  return row * LONGITUDES + Math.round((longitude + 180) * STEPS) + 1;
}

/** The place of a name, to a tenth of a degree; null for the name of no place. */
export function placeOfName(name: number): Coordinates | null {
  const row = Math.floor((name - 1) / LONGITUDES);
  const place = {
    latitude: (row - 90 * STEPS) / STEPS,
    longitude: (((name - 1) % LONGITUDES) - 180 * STEPS) / STEPS,
  };
  return name > 0 && isOnEarth(place) ? place : null;
}

/** A place as it is kept: to a tenth of a degree. Null for none. */
export function toKeptPlace(place: Coordinates | null): Coordinates | null {
  return place === null ? null : placeOfName(nameOfPlace(place));
}

/** The name of a short text, such as a country: its characters. */
export function nameOfText(text: string): number {
  let name = 0;
  for (let place = 0; place < Math.min(text.length, CHARS_MAX); place += 1)
    name = name * 256 + (text.charCodeAt(place) % 256);
  return name || 1;
}
