const CHARS = 8;

/** The name of a value that is no identifier, a country or the number of a network: 16 hex digits of its text. */
export function seenName(text: string): string {
  let name = '';
  for (let place = 0; place < CHARS; place += 1)
    name += (place < text.length ? text.charCodeAt(place) & 0xff : 0x20).toString(16).padStart(2, '0');
  return name;
}
