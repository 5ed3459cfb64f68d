/** The object that a stored text is, or null: for a text that is no JSON, for absurd nesting, and for every other value. Never throws. */
export function parseObject(text: string): { readonly [name: string]: unknown } | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    // A SyntaxError: somebody else has written it. Or a RangeError, where it is nested too deeply.
    return null;
  }
}

/** True for what JSON calls an object. */
export function isObject(value: unknown): value is { readonly [name: string]: unknown } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
