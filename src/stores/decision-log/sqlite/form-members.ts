/** What is made of a member of a form: `"name":value`, as it stands there. */
interface Known<Made> {
  readonly text: string;
  readonly made: Made;
}

/** Members that are tried before the end of one is looked for. */
const TRIED_MAX = 12;
const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c];
const OPENING: ReadonlySet<number> = new Set([0x7b, 0x5b]);
const CLOSING: ReadonlySet<number> = new Set([0x7d, 0x5d]);

/**
 * Splits forms into their members, and remembers what was made of each. Forms are many: they differ by which of
 * a few texts each member has, so that a member is known by comparing it with those that were met last.
 */
export class FormMembers<Made> {
  readonly #make: (member: string) => Made;
  readonly #knownMax: number;
  readonly #known = new Map<string, Known<Made>>();
  /** By place in a form, those that were met last there, the latest first. */
  #latest: Known<Made>[][] = [];

  /** As many members as `knownMax` are remembered. */
  constructor(knownMax: number, make: (member: string) => Made) {
    this.#knownMax = knownMax;
    this.#make = make;
  }

  /** What was made of each member, in their order. Throws with a `code` where the form is no JSON of an object. */
  of(form: string): readonly Made[] {
    const found: Made[] = [];
    let at = 1;
    while (at < form.length - 1) {
      const latest = this.#latestAt(found.length);
      const known = findLatest(latest, form, at) ?? this.#find(latest, form, at);
      found.push(known.made);
      at += known.text.length + 1;
    }
    const end = found.length === 0 ? at + 1 : at;
    if (end !== form.length || !form.startsWith('{') || !form.endsWith('}')) throw damaged();
    return found;
  }

  /** The same of members that are split already. */
  ofAll(members: readonly string[]): readonly Made[] {
    return members.map((member) => (this.#known.get(member) ?? this.#remember(member)).made);
  }

  #latestAt(place: number): Known<Made>[] {
    let latest = this.#latest[place];
    if (latest === undefined) {
      latest = [];
      this.#latest[place] = latest;
    }
    return latest;
  }

  #find(latest: Known<Made>[], form: string, at: number): Known<Made> {
    const member = form.slice(at, endOfMember(form, at));
    const known = this.#known.get(member) ?? this.#remember(member);
    latest.unshift(known);
    if (latest.length > TRIED_MAX) latest.pop();
    return known;
  }

  #remember(member: string): Known<Made> {
    // A text of its own: a slice would keep the whole form.
    const text = Buffer.from(member).toString();
    const known = { text, made: this.#make(text) };
    if (this.#known.size >= this.#knownMax) {
      this.#known.clear();
      this.#latest = [];
    }
    this.#known.set(text, known);
    return known;
  }
}

/** The member at a place, which becomes the latest. `startsWith` would compare one unit at a time. */
function findLatest<Made>(latest: Known<Made>[], form: string, at: number): Known<Made> | null {
  for (let place = 0; place < latest.length; place += 1) {
    const known = latest[place];
    if (known === undefined) continue;
    // All but a number end where they end, whatever follows; most others are found to be so at once.
    const end = at + known.text.length;
    if (end < form.length - 1 && form.charCodeAt(end) !== COMMA) continue;
    if (form.slice(at, end) !== known.text) continue;
    for (let from = place; from > 0; from -= 1) latest[from] = latest[from - 1] as Known<Made>;
    latest[0] = known;
    return known;
  }
  return null;
}

/** The place of the comma, or of the bracket, after the member that begins at a place. */
function endOfMember(form: string, from: number): number {
  let depth = 0;
  for (let at = from; at < form.length; at += 1) {
    const code = form.charCodeAt(at);
    if (code === QUOTE) at = endOfText(form, at);
    else if (OPENING.has(code)) depth += 1;
    else if (depth === 0 && (code === COMMA || CLOSING.has(code))) return at;
    else if (CLOSING.has(code)) depth -= 1;
  }
  throw damaged();
}

/** The place of the quote that ends the text that begins at a place. */
function endOfText(form: string, from: number): number {
  for (let at = form.indexOf('"', from + 1); at >= 0; at = form.indexOf('"', at + 1)) {
    let escapes = 0;
    while (form.charCodeAt(at - 1 - escapes) === BACKSLASH) escapes += 1;
    if (escapes % 2 === 0) return at;
  }
  throw damaged();
}

function damaged(): Error {
  return Object.assign(new Error('a form that is no JSON'), { code: 'DAMAGED_BLOCK' });
}
