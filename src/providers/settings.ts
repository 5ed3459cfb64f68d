import { z } from 'zod';

/** A credential: visible ASCII, so that it fits a header as it is. The messages never repeat the value. */
export const credentialSchema = z
  .string()
  .trim()
  .min(1, 'must not be empty')
  .regex(/^[\x21-\x7e]*$/, 'must be visible ASCII characters without spaces');

/**
 * A base URL: http or https, no query, fragment or user info. Parses to the URL without its trailing slash.
 */
export const baseUrlSchema = z
  .string()
  .trim()
  .refine(isBaseUrl, 'must be an http or https URL without query, fragment or user info')
  .transform((value) => new URL(value).href.replace(/\/+$/, ''));

function isBaseUrl(value: string): boolean {
  const url = URL.parse(value);
  if (url === null || !['http:', 'https:'].includes(url.protocol)) return false;
  return !/[?#@\\\s]/.test(value);
}
