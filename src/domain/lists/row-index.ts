const SHARDS = 256;
const SLOTS_MIN = 16;
/** A shard is filled to this share at most, so that most searches look at one or two slots. */
const FILLED_MAX = 0.6;

/** Tells the mixed key of a row. */
type KeyOf = (row: number) => number;

interface Shard {
  /** Rows by the lower bits of their keys, each one more; 0 is an empty slot. */
  slots: Int32Array;
  count: number;
}

/**
 * Finds rows by a key of 32 bits that several of them may share. It is split in parts, each of which grows by
 * itself, so that no change of an index of a million rows takes more than a fraction of a millisecond.
 */
export class RowIndex {
  readonly #keyOf: KeyOf;
  readonly #shards: readonly Shard[] = Array.from({ length: SHARDS }, () => ({
    slots: new Int32Array(SLOTS_MIN),
    count: 0,
  }));

  constructor(keyOf: KeyOf) {
    this.#keyOf = keyOf;
  }

  add(row: number): void {
    const key = this.#keyOf(row);
    const shard = this.#shardOf(key);
    if ((shard.count + 1) / shard.slots.length > FILLED_MAX) this.#grow(shard);
    insert(shard.slots, key, row);
    shard.count += 1;
  }

  /** Removes a row that was added, before its key is changed. */
  remove(row: number): void {
    const key = this.#keyOf(row);
    const shard = this.#shardOf(key);
    const { slots } = shard;
    const mask = slots.length - 1;
    let slot = key & mask;
    while (slots[slot] !== row + 1) slot = (slot + 1) & mask;
    shard.count -= 1;
    this.#closeGap(slots, slot, mask);
  }

  /**
   * The row in the slot that is `place` slots from where the key begins; -1 where nothing follows. It may have
   * another key: the caller compares what it holds.
   */
  at(key: number, place: number): number {
    const { slots } = this.#shardOf(key);
    return (slots[(key + place) & (slots.length - 1)] ?? 0) - 1;
  }

  #shardOf(key: number): Shard {
    return this.#shards[key >>> 24] as Shard;
  }

  #grow(shard: Shard): void {
    const grown = new Int32Array(2 * shard.slots.length);
    for (const entry of shard.slots) if (entry !== 0) insert(grown, this.#keyOf(entry - 1), entry - 1);
    shard.slots = grown;
  }

  /** Moves back what stands after a removed row, so that no search ends at its slot. */
  #closeGap(slots: Int32Array, removed: number, mask: number): void {
    let gap = removed;
    for (let slot = (gap + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const entry = slots[slot] ?? 0;
      const home = this.#keyOf(entry - 1) & mask;
      // It may stand at the gap where its home is not between the gap and its slot.
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      slots[gap] = entry;
      gap = slot;
    }
    slots[gap] = 0;
  }
}

function insert(slots: Int32Array, key: number, row: number): void {
  const mask = slots.length - 1;
  let slot = key & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  slots[slot] = row + 1;
}
