/** Records of one range: a lookup reads about as many where ids rise with time. */
const RANGE = 256;

interface IdRange {
  readonly number: number;
  readonly least: string;
  readonly greatest: string;
}

/**
 * Finds records of a ring by their ids, without an index that every append would have to pay for: of every 256 in a row that are complete, the least and the greatest id are noted when they are looked through for the first time.
 * Ids that rise with time make ranges that hardly overlap. Any other order, as after a step of the clock, makes wider ones: more is looked through then, and nothing is overlooked.
 */
export class IdRanges {
  readonly #ranges: (IdRange | undefined)[] = [];
  readonly #rangesMax: number;
  readonly #idAt: (sequence: number) => string;

  /** `recordsMax` is how many records the ring holds, and `idAt` their ids by sequence. */
  constructor(recordsMax: number, idAt: (sequence: number) => string) {
    // The newest and the oldest range may both be there in part.
    this.#rangesMax = Math.ceil(recordsMax / RANGE) + 1;
    this.#idAt = idAt;
  }

  /** The greatest sequence from `first` to `last` whose record has the id; null where none has. */
  find(id: string, first: number, last: number): number | null {
    for (let number = Math.floor(last / RANGE); number >= Math.floor(first / RANGE); number -= 1) {
      const from = Math.max(first, number * RANGE);
      const to = Math.min(last, number * RANGE + RANGE - 1);
      if (!this.#mayHold(number, id, from, to)) continue;
      for (let sequence = to; sequence >= from; sequence -= 1)
        if (this.#idAt(sequence) === id) return sequence;
    }
    return null;
  }

  #mayHold(number: number, id: string, from: number, to: number): boolean {
    // What is not complete may still get any id.
    if (to % RANGE !== RANGE - 1) return true;
    const place = number % this.#rangesMax;
    let range = this.#ranges[place];
    if (range?.number !== number) {
      range = this.#measure(number, from, to);
      this.#ranges[place] = range;
    }
    return id >= range.least && id <= range.greatest;
  }

  #measure(number: number, from: number, to: number): IdRange {
    let least = this.#idAt(to);
    let greatest = least;
    for (let sequence = to - 1; sequence >= from; sequence -= 1) {
      const id = this.#idAt(sequence);
      if (id < least) least = id;
      else if (id > greatest) greatest = id;
    }
    return { number, least, greatest };
  }
}
