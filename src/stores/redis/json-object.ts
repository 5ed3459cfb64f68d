/**
 * The object that a stored text is, or null: for a text that is no JSON, for absurd nesting, and for every
 * other value. Never throws.
 */
export function parseObject(text: string): { readonly [name: string]: unknown } | null {
  const value = parseJson(text);
  return isObject(value) ? value : null;
}

/**
 * The value that a stored text is; null too for a text that is no JSON, and for absurd nesting. Never throws.
 */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // A SyntaxError: somebody else has written it. Or a RangeError, where it is nested too deeply.
    return null;
  }
}

/** True for what JSON calls an object. */
export function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
