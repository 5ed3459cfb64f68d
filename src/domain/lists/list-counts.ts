import { type Network, parseNetwork } from '../ip-address.ts';
import type { ListEntry } from './list-entry.ts';
import { LIST_PARTS, type ListPart } from './list-part.ts';

/** Counts the entries of a table, so that what has none is answered without looking. */
export class ListCounts {
  readonly #keyIds: ReadonlySet<string>;
  readonly #entries = new Map<string, number>();
  readonly #unmatched = new Map<string, number>();
  #removed = 0;
  /** How many networks there are of each prefix. */
  readonly #networks = { 4: new Map<number, number>(), 6: new Map<number, number>() };
  #prefixes: Readonly<Record<4 | 6, readonly number[]>> = { 4: [], 6: [] };

  constructor(keyIds: ReadonlySet<string>) {
    this.#keyIds = keyIds;
  }

  add(entry: ListEntry): void {
    this.#change(entry, 1);
  }

  remove(entry: ListEntry): void {
    this.#change(entry, -1);
  }

  total(): number {
    let total = 0;
    for (const count of this.#entries.values()) total += count;
    return total;
  }

  /** How many removed ones are remembered. */
  removed(): number {
    return this.#removed;
  }

  of(list: string, part?: ListPart): number {
    let count = 0;
    for (const each of part === undefined ? LIST_PARTS : [part])
      count += this.#entries.get(`${list} ${each}`) ?? 0;
    return count;
  }

  unmatched(list: string, part: ListPart): number {
    return this.#unmatched.get(`${list} ${part}`) ?? 0;
  }

  /** The prefixes that some network has. */
  prefixes(family: 4 | 6): readonly number[] {
    return this.#prefixes[family];
  }

  #change(entry: ListEntry, by: number): void {
    if (entry.isRemoved) {
      this.#removed += by;
      return;
    }
    const name = `${entry.list} ${entry.part}`;
    raise(this.#entries, name, by);
    if (!this.#isMatched(entry)) raise(this.#unmatched, name, by);
    if (entry.part === 'ip' && entry.value.includes('/')) this.#countNetwork(entry.value, by);
  }

  #isMatched({ keyId, others }: ListEntry): boolean {
    if (keyId === null || this.#keyIds.has(keyId)) return true;
    return Object.keys(others ?? {}).some((other) => this.#keyIds.has(other));
  }

  #countNetwork(value: string, by: number): void {
    // The table has taken it for a network.
    const network = parseNetwork(value) as Network;
    const counts = this.#networks[network.family];
    if (raise(counts, network.prefix, by) === Math.max(by, 0))
      this.#prefixes = { 4: [...this.#networks[4].keys()], 6: [...this.#networks[6].keys()] };
  }
}

/** The new count; a name without any is removed. */
function raise<Name>(counts: Map<Name, number>, name: Name, by: number): number {
  const count = (counts.get(name) ?? 0) + by;
  if (count > 0) counts.set(name, count);
  else counts.delete(name);
  return count;
}
