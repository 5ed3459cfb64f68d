/** Whether a text has the shape of a JSON Web Key Set (RFC 7517). Here, so that a start loads no more for it. */
export function isKeySet(text: string | null): text is string {
  try {
    const value: unknown = JSON.parse(text ?? '');
    return Array.isArray(Reflect.get(Object(value), 'keys'));
  } catch {
    // A SyntaxError: it is no JSON.
    return false;
  }
}
