/** A fast test for texts without any escaped surrogate, which are nearly all. */
const ANY = /\\u[dD][89a-fA-F]/;
/** One escape after another, a surrogate pair counting as one; the group holds what is left of a half. */
const ESCAPE =
  /\\(?:u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|u([dD][89a-fA-F][\da-fA-F]{2})|.)/gs;

/**
 * True when a string of a JSON text, which is valid and was UTF-8, has half of a surrogate pair in it. It can
 * only be written as an escape.
 */
export function hasLoneSurrogates(text: string): boolean {
  if (!ANY.test(text)) return false;
  for (const [, half] of text.matchAll(ESCAPE)) if (half !== undefined) return true;
  return false;
}
