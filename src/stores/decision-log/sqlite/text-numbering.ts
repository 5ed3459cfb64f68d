/** Numbers texts, from 0, for as long as it lives. */
export class TextNumbering {
  readonly #numbers = new Map<string, number>();

  of(text: string): number {
    let number = this.#numbers.get(text);
    if (number === undefined) {
      number = this.#numbers.size;
      this.#numbers.set(text, number);
    }
    return number;
  }

  /** The texts by their numbers. */
  get texts(): readonly string[] {
    return [...this.#numbers.keys()];
  }
}
