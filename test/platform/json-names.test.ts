import fc from 'fast-check';
import t from 'tap';
import { hasDuplicateNames } from '../../src/platform/json-names.ts';

const check = (text: string): boolean => hasDuplicateNames(text, JSON.parse(text));

/** Texts in which a name stands twice. */
const DOUBLE = [
  '{"a":1,"a":2}',
  '{"a":1,"a":1}',
  '{ "a" : 1 , "a"\t:\n1 }',
  '{"a":1,"b":2,"a":3}',
  '{"a":1,"\\u0061":2}',
  '{"a\\"":1,"a\\u0022":2}',
  '{"\\\\":1,"\\u005c":2}',
  '{"":1,"":2}',
  '{"1":1,"1":2}',
  '{"a":{"b":1,"b":2}}',
  '[{"a":1},{"b":1,"b":1}]',
  '{"a":{"x":1},"a":{"y":1}}',
  '{"a":{"x":1,"y":2},"a":null}',
  '{"__proto__":1,"__proto__":2}',
  '{"a":[[[[{"b":":","b":"\\":"}]]]]}',
];

/** Texts in which none does, though it may look so. */
const SINGLE = [
  '{}',
  '[]',
  'null',
  '"a:a:a"',
  '0',
  '{"a":"a","b":"a"}',
  '{"a":{"a":{"a":1}}}',
  '[{"a":1},{"a":1}]',
  '{"a":"{\\"a\\":1,\\"a\\":2}"}',
  '{"a:":":","a":"\\\\","b":"\\\\\\""}',
  '{"a":"\\\\\\\\:","A":1," a":2}',
  '{"\\\\":1,"\\"":2,"\\\\\\"":3}',
  '{"__proto__":1,"constructor":{"prototype":1}}',
  ' { "a" : [ "b" , "c" ] , "d" : "e" } ',
];

t.test('finds a name that stands twice', async (t) => {
  for (const text of DOUBLE) t.equal(check(text), true, text);
});

t.test('takes nothing else for one', async (t) => {
  for (const text of SINGLE) t.equal(check(text), false, text);
});

t.test('says no of anything that was written from a value', async (t) => {
  const space = fc.constantFrom(undefined, 1, '\t', ' \n');
  fc.assert(
    fc.property(
      fc.jsonValue({ maxDepth: 4 }),
      space,
      (value, indent) => !check(JSON.stringify(value, null, indent)),
    ),
    { seed: 20261120, numRuns: 1000 },
  );
  t.pass();
});

t.test('finds a member that is repeated anywhere', async (t) => {
  const name = fc.string({ unit: 'grapheme', maxLength: 8 });
  const value = fc.jsonValue({ maxDepth: 2 });
  const member = (key: string, content: unknown) => `${JSON.stringify(key)}:${JSON.stringify(content)}`;
  fc.assert(
    fc.property(fc.dictionary(name, value, { minKeys: 1 }), value, fc.nat(), (object, other, place) => {
      const keys = Object.keys(object);
      const twice = keys[place % keys.length] ?? '';
      const members = keys.map((key) => member(key, object[key]));
      members.splice(place % (keys.length + 1), 0, member(twice, other));
      return check(`{"x":[{${members.join()}}]}`);
    }),
    { seed: 20261120, numRuns: 1000 },
  );
  t.pass();
});

t.test('takes no stack for depth, and no long time for a body of the greatest size', async (t) => {
  const deep = `${'['.repeat(8_000)}${']'.repeat(8_000)}`;
  t.equal(check(deep), false);
  t.equal(check(`{"a":"${'\\\\'.repeat(8_000)}"}`), false);
  t.equal(check(`${'{"a":'.repeat(2_500)}{"a":1,"a":2}${'}'.repeat(2_500)}`), true);
});
