/** The text that tells the replicas which keys were purged, and by whom. */
export function toPurgeMessage(sender: string, keys: readonly string[]): string {
  return JSON.stringify({ sender, keys });
}

/** Reads such a text; null for any other. */
export function parsePurgeMessage(text: string): { sender: string; keys: readonly string[] } | null {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('sender' in value) || !('keys' in value))
      return null;
    const { sender, keys } = value;
    return typeof sender === 'string' && isStrings(keys) ? { sender, keys } : null;
  } catch {
    // A SyntaxError: somebody else's message.
    return null;
  }
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
