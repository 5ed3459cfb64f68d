import type { RecordPlace } from '../../../domain/decision-log/record-place.ts';

/** What the texts of one table say, by their numbers; only what is new is read. */
export class NumberedTexts<Item> {
  readonly #readAbove: (id: number) => readonly Readonly<Record<string, unknown>>[];
  readonly #offset: number;
  readonly #parse: (text: string) => Item;
  readonly #items = new Map<number, Item>();
  #last = 0;

  /** `offset` is added to the numbers of the table. */
  constructor(
    readAbove: (id: number) => readonly Readonly<Record<string, unknown>>[],
    offset: number,
    parse: (text: string) => Item,
  ) {
    this.#readAbove = readAbove;
    this.#offset = offset;
    this.#parse = parse;
  }

  read(): ReadonlyMap<number, Item> {
    for (const { id, text } of this.#readAbove(this.#last)) {
      this.#last = Number(id);
      this.#items.set(this.#last + this.#offset, this.#parse(String(text)));
    }
    return this.#items;
  }
}

/** The place that a text of `places` stands for; a file of version 5 has no names. */
export function toPlace(text: string): RecordPlace {
  const [country, asn, asnName = null] = JSON.parse(text) as [
    RecordPlace['country'],
    RecordPlace['asn'],
    RecordPlace['asnName']?,
  ];
  return { country, asn, asnName };
}
