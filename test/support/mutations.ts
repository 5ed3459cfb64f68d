import fc from 'fast-check';

type Path = readonly string[];

/** What may stand in the place of any value. */
const INTRUDER = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(
    null,
    '',
    ' ',
    'x'.repeat(300),
    'x'.repeat(5_000),
    0,
    -1,
    1e300,
    2 ** 53,
    [],
    {},
    true,
    false,
    '\ud800',
    '\u0000',
    '__proto__',
    JSON.parse('{"__proto__":{"found":true,"action":"ALLOW"}}'),
    { constructor: { prototype: { found: true } } },
  ),
);

/** The value with one to three of its parts replaced, removed or doubled under a new name. */
export function mutated(value: unknown): fc.Arbitrary<unknown> {
  const paths = pathsIn(value);
  const step = fc.record({
    path: fc.constantFrom(...paths),
    kind: fc.constantFrom('replace', 'replace', 'remove', 'add'),
    name: fc.oneof(
      fc.string({ maxLength: 12 }),
      fc.constantFrom('__proto__', 'constructor', 'toString', 'found'),
    ),
    intruder: INTRUDER,
  });
  return fc.array(step, { minLength: 1, maxLength: 3 }).map((steps) => {
    let result = value;
    for (const { path, kind, name, intruder } of steps) {
      if (kind === 'replace') result = change(result, path, () => intruder);
      else if (kind === 'remove') result = remove(result, path);
      else result = change(result, path, (old) => (isContainer(old) ? withMember(old, name, intruder) : old));
    }
    return result;
  });
}

/** JSON of the mutated value. Never undefined: what is removed is a part, and not the whole. */
export function mutatedJson(value: unknown): fc.Arbitrary<string> {
  return mutated(value).map((result) => JSON.stringify(result));
}

/** The text with one to four places cut, doubled or overwritten. */
export function mutatedText(text: string): fc.Arbitrary<string> {
  const step = fc.record({
    at: fc.nat(Math.max(0, text.length - 1)),
    length: fc.integer({ min: 0, max: 20 }),
    insert: fc.oneof(
      fc.string({ maxLength: 6, unit: 'binary' }),
      fc.constantFrom(
        '"',
        '{',
        '}',
        '[',
        ']',
        ',',
        ':',
        '\\',
        '\n',
        '  ',
        '\u0000',
        '&a ',
        '*a',
        '!!js ',
        '- ',
        '<<: ',
      ),
    ),
    isDoubled: fc.boolean(),
  });
  return fc.array(step, { minLength: 1, maxLength: 4 }).map((steps) => {
    let result = text;
    for (const { at, length, insert, isDoubled } of steps) {
      const cut = result.slice(at, at + length);
      result = result.slice(0, at) + (isDoubled ? cut + cut : insert) + result.slice(at + length);
    }
    return result;
  });
}

/** The paths to every part of a value, the whole first. */
export function pathsIn(value: unknown, at: Path = []): readonly Path[] {
  if (!isContainer(value)) return [at];
  return [at, ...Object.entries(value).flatMap(([name, member]) => pathsIn(member, [...at, name]))];
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function withMember(container: object, name: string, value: unknown): object {
  if (Array.isArray(container)) return [...container, value];
  // A computed key defines `__proto__` like any other.
  return { ...container, [name]: value };
}

function change(value: unknown, [name, ...rest]: Path, edit: (old: unknown) => unknown): unknown {
  if (name === undefined) return edit(value);
  if (!isContainer(value) || !Object.hasOwn(value, name)) return value;
  if (Array.isArray(value))
    return value.map((item, index) => (String(index) === name ? change(item, rest, edit) : item));
  return withMember(value, name, change(Reflect.get(value, name), rest, edit));
}

function remove(value: unknown, path: Path): unknown {
  const last = path.at(-1);
  if (last === undefined) return value;
  return change(value, path.slice(0, -1), (holder) => {
    if (!isContainer(holder)) return holder;
    if (Array.isArray(holder)) return holder.filter((_, index) => String(index) !== last);
    return Object.fromEntries(Object.entries(holder).filter(([name]) => name !== last));
  });
}
