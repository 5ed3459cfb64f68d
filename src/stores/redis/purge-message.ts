import { parseObject } from './json-object.ts';

/** The text that tells the replicas which keys were purged, and by whom. */
export function toPurgeMessage(sender: string, keys: readonly string[]): string {
  return JSON.stringify({ sender, keys });
}

/** Reads such a text; null for any other. */
export function parsePurgeMessage(text: string): { sender: string; keys: readonly string[] } | null {
  const { sender, keys } = parseObject(text) ?? {};
  return typeof sender === 'string' && isStrings(keys) ? { sender, keys } : null;
}

function isStrings(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}
