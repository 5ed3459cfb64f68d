import fc from 'fast-check';
import t from 'tap';
import { FormMembers } from '../../../../src/stores/decision-log/sqlite/form-members.ts';

/** Splits into the members themselves, and counts how many were made. */
function createMembers(knownMax = 1_000) {
  let made = 0;
  const members = new FormMembers(knownMax, (member) => {
    made += 1;
    return member;
  });
  return { of: (form: string) => members.of(form), made: () => made };
}

/** The members as JSON has them. */
function membersOf(value: object): readonly string[] {
  return Object.entries(value).map(([name, member]) => `${JSON.stringify(name)}:${JSON.stringify(member)}`);
}

t.test('splits any object into its members, however often it met them', async (t) => {
  const members = createMembers();
  const text = fc.oneof(
    fc.constantFrom('', '"', '\\', '\\"', '{', '],', '\\\\"', 'ü', '\u0000n'),
    fc.string(),
  );
  const leaf = fc.oneof(
    text,
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.constant(null),
  );
  const value = fc.oneof(leaf, fc.boolean(), fc.array(leaf), fc.dictionary(text, fc.array(leaf)));
  fc.assert(
    fc.property(fc.dictionary(text, value), (object) => {
      // What `__proto__` names is lost before it is written.
      const given = JSON.parse(JSON.stringify(object)) as object;
      const form = JSON.stringify(given);
      for (let times = 0; times < 2; times += 1) t.strictSame([...members.of(form)], membersOf(given));
    }),
    { numRuns: 300, seed: 15 },
  );
});

t.test('does not take the beginning of a number for it', async (t) => {
  const { of } = createMembers();
  for (const form of ['{"a":1}', '{"a":12}', '{"a":1,"b":2}', '{"a":12,"b":2}', '{"a":1}'])
    t.strictSame([...of(form)], membersOf(JSON.parse(form) as object), form);
});

t.test('makes each once, and begins again when there are too many', async (t) => {
  const { of, made } = createMembers(30);
  const forms = Array.from({ length: 20 }, (_, place) => `{"a":${place},"b":"${place % 2}"}`);
  for (const form of [...forms, ...forms]) of(form);
  t.equal(made(), 22);
  for (let place = 100; place < 200; place += 1) t.strictSame([...of(`{"a":${place}}`)], [`"a":${place}`]);
  t.strictSame([...of(forms[0] ?? '')], ['"a":0', '"b":"0"']);
  t.equal(made(), 124, 'what was forgotten is made again');
});

t.test('refuses what is no JSON of an object', async (t) => {
  const { of } = createMembers();
  of('{"a":[1]}');
  for (const form of ['{"a":[1]', '{"a":[1]]', '{"a":"x', '{"a":"x\\"}', '["a"]', '{"a":{}', 'null'])
    t.throws(() => of(form), { code: 'DAMAGED_BLOCK' }, form);
});
