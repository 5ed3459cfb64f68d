import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { ListEntry } from '../src/domain/lists/list-entry.ts';
import { LIST_PARTS, type ListPart } from '../src/domain/lists/list-part.ts';
import { ListTable } from '../src/domain/lists/list-table.ts';
import { keyIdOf } from '../src/platform/keyed-hash.ts';
import { openFileListStore } from '../src/stores/lists/file-store.ts';

/** Entries of the variant `lists`. */
export const LISTED = 100_000;
const TOGETHER = 1_000;

/** Writes a file of entries of every part, none of which names a subject of the benchmark. */
export async function writeListsFile(directory: string, idHashKey: string): Promise<string> {
  const path = join(directory, 'lists.journal');
  const store = await openFileListStore({ path, table: new ListTable(new Set()), onEvent: () => {} });
  const keyId = keyIdOf(idHashKey);
  for (let from = 0; from < LISTED; from += TOGETHER)
    await store.commit(Array.from({ length: TOGETHER }, (_, place) => toEntry(from + place, keyId)));
  await store.close();
  return path;
}

function toEntry(serial: number, keyId: string): ListEntry {
  const part = LIST_PARTS[serial % LIST_PARTS.length] ?? 'device';
  const { value, isHash } = toValue(part, serial);
  return {
    list: serial % 10 === 0 ? 'watched' : 'blocked',
    part,
    value,
    keyId: isHash ? keyId : null,
    others: null,
    addedAtMs: 1_700_000_000_000 + serial,
    addedBy: 'bench',
    expiresAtMs: null,
    note: `ticket ${serial % 1_000}`,
    isRemoved: false,
  };
}

function toValue(part: ListPart, serial: number): { readonly value: string; readonly isHash: boolean } {
  // Networks of four lengths in 10.0.0.0/8, and two letters and numbers that no evidence here has.
  if (part === 'ip') {
    const prefix = [12, 16, 20, 24][serial % 4] ?? 24;
    const bits = ((10 << 24) | ((serial & 0xffff) << 8)) & (-1 << (32 - prefix));
    return {
      value: `${[24, 16, 8, 0].map((shift) => (bits >>> shift) & 255).join('.')}/${prefix}`,
      isHash: false,
    };
  }
  if (part === 'asn') return { value: String(4_000_000_000 + serial), isHash: false };
  if (part === 'country') return { value: 'ZZ', isHash: false };
  return { value: createHash('sha256').update(`${part} ${serial}`).digest('hex').slice(0, 32), isHash: true };
}
