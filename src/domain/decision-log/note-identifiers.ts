/** Patterns of identifiers. Dates and times are removed before matching. */
const SHAPES: readonly RegExp[] = [
  // An e-mail address, or a name at a host.
  /[^\s@]+@[^\s@]+/,
  // IPv4 and IPv6 addresses, and MAC addresses.
  /\b\d{1,3}(?:\.\d{1,3}){3}\b/,
  /(?:[0-9a-f]{0,4}:){3,}[0-9a-f]{0,4}/i,
  /\b(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}\b/i,
  // Telephone, card, IMEI and account numbers: nine digits or more, whatever stands between them.
  /\d(?:[\s().-]{0,2}\d){8,}/,
  // UUIDs, hashes and tokens: sixteen characters or more with a digit among them.
  /(?=[\w-]*\d)[\w-]{16,}/,
];

const DATES = /\b\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?Z?)?\b/g;
const BETWEEN_WORDS = /[\s,;:!?()[\]{}<>"'`=]+/;
const AROUND_WORDS = /^[./\\-]+|[./\\-]+$/g;

/**
 * True when a note contains what looks like an identifier, or a word that `isOfSubject` recognises. It
 * catches accidents, not attempts to hide an identifier.
 */
export function holdsIdentifier(text: string, isOfSubject: (word: string) => boolean): boolean {
  const plain = text.replaceAll(DATES, ' ');
  if (SHAPES.some((shape) => shape.test(plain))) return true;
  const words = text.split(BETWEEN_WORDS).flatMap((word) => [word, word.replaceAll(AROUND_WORDS, '')]);
  return [text.trim(), ...words].some((word) => word !== '' && isOfSubject(word));
}
