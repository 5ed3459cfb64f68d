/** As many hexadecimal digits as a number holds exactly. */
const DIGITS = 13;

/**
 * Whether a hash, in hexadecimal, is among a share of 0 to 1 of all hashes. Whatever is in a share is in every greater
 * one. A text that is no such hash is in none.
 */
export function isInShare(hash: string, share: number): boolean {
  const digits = hash.slice(0, DIGITS);
  return /^[0-9a-f]{13}$/.test(digits) && Number.parseInt(digits, 16) / 16 ** DIGITS < share;
}
