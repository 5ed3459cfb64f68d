/**
 * One value as one URL path segment (RFC 3986), or null when no encoding keeps it intact: the empty string
 * vanishes, `.` and `..` are resolved away by any hop even when escaped, and a lone surrogate has no UTF-8
 * form.
 */
export function toPathSegment(value: string): string | null {
  if (value === '' || value === '.' || value === '..') return null;
  return toQueryValue(value);
}

/**
 * One value as a URL query value (RFC 3986), or null when it holds a lone surrogate, which has no UTF-8 form.
 */
export function toQueryValue(value: string): string | null {
  return value.isWellFormed() ? encodeURIComponent(value) : null;
}
