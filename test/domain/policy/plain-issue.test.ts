import { inspect } from 'node:util';
import t from 'tap';
import { z } from 'zod';
import { placeName } from '../../../src/domain/policy/document-shape.ts';
import { plainEngine, startOf } from '../../../src/domain/policy/plain-engine.ts';
import { plainIssue, unknownField } from '../../../src/domain/policy/plain-issue.ts';

const schema = z.strictObject({
  text: z.string().min(2).max(4),
  many: z.array(z.int().min(1)).min(1).max(2),
  kind: z.enum(['ALLOW', 'BLOCK']),
  one: z.literal('x'),
  flag: z.boolean(),
  named: z.record(z.string().regex(/^a/, 'must begin with a'), z.number()),
  either: z.union([z.literal('unknown'), z.strictObject({ depth: z.strictObject({ flag: z.boolean() }) })]),
  two: z.union([z.strictObject({ a: z.int() }), z.strictObject({ b: z.strictObject({ c: z.int() }) })]),
  nested: z.strictObject({}),
  own: z.string('must be a text of mine'),
  email: z.email(),
});
const GOOD = {
  text: 'abc',
  many: [1],
  kind: 'ALLOW',
  one: 'x',
  flag: true,
  named: {},
  either: 'unknown',
  two: { a: 1 },
  nested: {},
  own: '',
  email: 'a@example.com',
};

function wordsOf(document: unknown): readonly string[] {
  const issues = schema.safeParse(document).error?.issues ?? [];
  return issues.map((issue) => `${issue.path.join('.')}: ${plainIssue(issue, document)}`);
}

/** What is put in the place of a good value, and what is said of it. */
const WORDS: readonly (readonly [object, readonly string[]])[] = [
  [{}, []],
  [{ text: 1 }, ['text: must be a text, not a number']],
  [{ text: undefined }, ['text: is missing']],
  [{ text: 'a' }, ['text: must be at least 2 characters']],
  [{ text: 'abcde' }, ['text: must be at most 4 characters']],
  [{ many: [] }, ['many: must be at least 1 entries']],
  [{ many: [1, 1, 1] }, ['many: must be at most 2 entries']],
  [{ many: [0] }, ['many.0: must be at least 1']],
  [{ many: [0.5] }, ['many.0: must be a whole number, not a number']],
  [{ many: { a: 1 } }, ['many: must be a list, not a mapping']],
  [{ many: null }, ['many: must be a list, not empty']],
  [{ flag: 'yes' }, ['flag: must be true or false, not a text']],
  [{ text: true }, ['text: must be a text, not true']],
  [{ nested: [] }, ['nested: must be a mapping, not a list']],
  [{ text: 1n }, ['text: must be a text, not bigint']],
  [{ kind: 'BLOKC' }, ['kind: must be one of ALLOW, BLOCK: did you mean BLOCK?']],
  [{ kind: 'block' }, ['kind: must be one of ALLOW, BLOCK: did you mean BLOCK?']],
  [{ kind: 'SOMETHING' }, ['kind: must be one of ALLOW, BLOCK']],
  [{ kind: 5 }, ['kind: must be one of ALLOW, BLOCK']],
  [{ kind: undefined }, ['kind: is missing: one of ALLOW, BLOCK']],
  [{ one: 'something' }, ['one: must be x']],
  [{ named: { b: 1 } }, ['named.b: must begin with a']],
  [{ either: 'lost' }, ['either: must be unknown']],
  [{ either: { depth: { flag: 1 } } }, ['either: depth.flag: must be true or false, not a number']],
  [{ either: { depth: { flag: true, more: 1 } } }, ['either.depth: unknown field "more"']],
  [{ two: { b: { c: 'x' } } }, ['two: b.c: must be a number, not a text']],
  [{ two: 5 }, ['two: must be a mapping, not a number']],
  [{ own: 1 }, ['own: must be a text of mine']],
  [{ email: 'x' }, ['email: Invalid email address']],
];

t.test('says in plain words what is wrong with a value', async (t) => {
  for (const [change, words] of WORDS) t.same(wordsOf({ ...GOOD, ...change }), words, inspect(change));
  t.same(wordsOf('x'), [': must be a mapping, not a text']);
});

t.test('has words also for what schemas do not give here', async (t) => {
  const issue = { path: [] as PropertyKey[], message: 'm', input: 0 };
  t.equal(plainIssue({ ...issue, code: 'invalid_union', errors: [] }, 0), 'is none of what it can be');
  t.equal(plainIssue({ ...issue, code: 'invalid_key', origin: 'record', issues: [] }, 0), 'm');
  t.equal(
    plainIssue({ ...issue, code: 'invalid_type', expected: 'date', message: 'Invalid input' }, 0),
    'must be date, not a number',
  );
});

t.test('says which field was meant', async (t) => {
  t.equal(
    unknownField('on_unkown', ['when', 'on_unknown']),
    'unknown field "on_unkown": did you mean "on_unknown"?',
  );
  t.equal(unknownField('mode', ['when']), 'unknown field "mode"');
});

t.test('has words for an engine that says nothing of an error', async (t) => {
  t.equal(plainEngine(undefined), 'is not valid CEL');
  t.equal(startOf(undefined), 0);
  t.equal(startOf({}), 0);
  t.equal(startOf({ range: { start: 3 } }), 3);
});

t.test('calls a rule by its id, as a whole and by its parts', async (t) => {
  const document = { rules: [{ id: 'first' }, { id: 'Not an id' }] };
  t.equal(placeName(document, ['rules', 0]), 'rule first');
  t.equal(placeName(document, ['rules', 0, 'when']), 'rule first, when');
  t.equal(placeName(document, ['rules', 1]), 'rules.1');
  t.equal(placeName(document, ['otherwise']), 'otherwise');
});
