import type { GatewayDialect, GatewayHeaders, OriginalHeaders } from './definition.ts';

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

/**
 * Reads the original request from two or three headers: null when one of them is missing, repeated or not
 * valid.
 */
export function originalFromHeaders(names: OriginalHeaders): GatewayDialect['toOriginal'] {
  const methodName = names.method.toLowerCase();
  const targetName = names.target.toLowerCase();
  const hostName = names.host?.toLowerCase() ?? null;
  return ({ headers }) => {
    const target = singleValue(headers, targetName);
    const method = singleValue(headers, methodName);
    if (target === null || method === null || !isMethod(method)) return null;
    return { method, target, host: hostName === null ? null : singleValue(headers, hostName), headers };
  };
}
