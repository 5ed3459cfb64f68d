import type { ListEntry } from '../../src/domain/lists/list-entry.ts';

/** An entry of a list, with these changes. */
export function createListEntry(changes: Partial<ListEntry> = {}): ListEntry {
  return {
    list: 'blocked',
    part: 'device',
    value: hashOf(1),
    keyId: 'aaaa1111',
    others: null,
    addedAtMs: 1_000,
    addedBy: 'analyst',
    expiresAtMs: null,
    note: null,
    isRemoved: false,
    ...changes,
  };
}

/** A hash for each number, spread like those of a keyed hash. */
export function hashOf(serial: number): string {
  return [0x9e3779b1, 0x85ebca6b, 0xc2b2ae35, 0x27d4eb2f]
    .map((factor) => (Math.imul(serial + 1, factor) >>> 0).toString(16).padStart(8, '0'))
    .join('');
}
