const HEX_DIGITS = 12;
const CHARS_MAX = 6;

/** The name of a value that is known by a keyed hash: its first 48 bits, which are enough for 64 values. */
export function nameOfHash(hash: string): number {
  // 0 stands for no value.
  return Number.parseInt(hash.slice(0, HEX_DIGITS), 16) || 1;
}

/** The name of a short text, such as a country: its characters. */
export function nameOfText(text: string): number {
  let name = 0;
  for (let place = 0; place < Math.min(text.length, CHARS_MAX); place += 1)
    name = name * 256 + (text.charCodeAt(place) % 256);
  return name || 1;
}
