import fc from 'fast-check';
import t from 'tap';
import { hasLoneSurrogates } from '../../src/platform/lone-surrogates.ts';

t.test('finds half a pair that is escaped', async (t) => {
  for (const text of [
    '"\\ud800"',
    '"\\uDBFFa"',
    '"\\udc00"',
    '"\\uDFFF\\uD800"',
    '"\\ud83d\\ud83d\\ude00"',
    '"\\ud83d\\ude00\\ude00"',
    '"\\\\\\ud800"',
    '"\\ud83d\\\\ude00"',
    '{"\\ud800":1}',
  ])
    t.equal(hasLoneSurrogates(text), true, text);
});

t.test('takes nothing else for one', async (t) => {
  for (const text of [
    '"\\ud83d\\ude00"',
    '"😀"',
    '"\\\\ud800"',
    '"\\\\\\\\udfff"',
    '"\\u0041\\ue000"',
    '{}',
    '""',
  ])
    t.equal(hasLoneSurrogates(text), false, text);
});

t.test('agrees with the strings that JSON.parse makes', async (t) => {
  const unit = fc.constantFrom(
    '\\ud83d',
    '\\ude00',
    '\\uDBFF',
    '\\\\',
    '\\"',
    '\\n',
    'u',
    'd83d',
    'a',
    '😀',
    '\\u0041',
  );
  fc.assert(
    fc.property(fc.array(unit, { maxLength: 12 }), (units) => {
      const text = JSON.stringify('x').replace('x', () => units.join(''));
      return hasLoneSurrogates(text) !== (JSON.parse(text) as string).isWellFormed();
    }),
    { seed: 20261129, numRuns: 2000 },
  );
  t.pass();
});
