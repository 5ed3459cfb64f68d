import type { GatewayHeaders, OriginalRequest } from './definition.ts';

/** A token of RFC 9110, section 5.6.2; methods are case-sensitive. */
const METHOD = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,32}$/;

/** True for a valid HTTP method. */
export function isMethod(text: string): boolean {
  return METHOD.test(text);
}

/** The one value of a field, or null when the field is missing, empty or repeated. */
export function singleValue(headers: GatewayHeaders, name: string): string | null {
  const values = headers[name];
  const value = values?.length === 1 ? values[0] : undefined;
  return value === undefined || value === '' ? null : value;
}

/** The original request from two or three headers, or null when one of them is missing, repeated or not valid. */
export function originalFromHeaders(
  headers: GatewayHeaders,
  names: { readonly method: string; readonly target: string; readonly host: string | null },
): OriginalRequest | null {
  const target = singleValue(headers, names.target);
  const method = singleValue(headers, names.method);
  if (target === null || method === null || !isMethod(method)) return null;
  return { method, target, host: names.host === null ? null : singleValue(headers, names.host), headers };
}
