import fc from 'fast-check';
import t from 'tap';
import { hasDuplicateNames } from '../../src/platform/json-names.ts';
import { fuzzRun } from '../support/fuzz-run.ts';
import { hasTwins } from '../support/reference-json.ts';

/**
 * In a process of its own, and without a backslash in a name: once an object had the name `\u0074elemet`, V8
 * 13.6 reads `"\u0074elemetry_id"` as that. It is then a name that no request may have.
 */
const NAMES = ['', 'a', 'b', 'ab', ':', '"', '":', '__proto__', 'é'];
const VALUES = [...NAMES, '\\', '\\"', '{"a":1,"a":2}', '\\":'];

/** Any spelling of a text: each character as it is, or as an escape. */
const spelt = (text: string) =>
  fc.array(fc.boolean(), { minLength: text.length, maxLength: text.length }).map((escaped) => {
    const characters = text
      .split('')
      .map((character, place) =>
        escaped[place] === true
          ? `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
          : JSON.stringify(character).slice(1, -1),
      );
    return `"${characters.join('')}"`;
  });
const space = fc.constantFrom('', '', '', ' ', '\t', '\n', '\r', '  ');
const padded = (inner: fc.Arbitrary<string>) => fc.tuple(space, inner, space).map((parts) => parts.join(''));

/** JSON as nobody writes it: few names, so that some stand twice, in any spelling, with any space. */
const { json } = fc.letrec<{ json: string }>((tie) => {
  const list = (part: fc.Arbitrary<string>) => fc.array(part, { maxLength: 4 }).map((parts) => parts.join());
  const name = fc.constantFrom(...NAMES).chain(spelt);
  const scalar = fc.oneof(
    fc.constantFrom(...VALUES).chain(spelt),
    fc.constantFrom('0', '-1', '1e3', 'true', 'null', '0.10'),
  );
  const member = fc.tuple(padded(name), padded(tie('json'))).map((pair) => pair.join(':'));
  const object = list(member).map((inner) => `{${inner}}`);
  const array = list(padded(tie('json'))).map((inner) => `[${inner}]`);
  return {
    json: fc.oneof({ maxDepth: 4 }, scalar, { weight: 3, arbitrary: object }, array),
  };
});

t.test('agrees with a reader of the grammar about names that stand twice', async (t) => {
  let twins = 0;
  let others = 0;
  fc.assert(
    fc.property(json, (text) => {
      const expected = hasTwins(text);
      if (expected) twins += 1;
      else if (text.includes(':')) others += 1;
      return hasDuplicateNames(text, JSON.parse(text)) === expected;
    }),
    fuzzRun(t, 3_000),
  );
  t.ok(twins > 100 && others > 100, `${twins} with such a name, ${others} without`);
});
