import fc from 'fast-check';
import t from 'tap';
import { readAnswer } from '../../../../src/providers/read-answer.ts';
import { putTogether, takeApart } from '../../../../src/stores/decision-log/sqlite/signals-form.ts';
import { CONTEXT, respond, signalsOf, UNTOLD } from '../../../providers/answer-support.ts';
import { sampleOf, TESTED_PROVIDERS } from '../../../providers/samples.ts';

const [HASH, OTHER_HASH] = ['0123456789abcdef'.repeat(2), 'f'.repeat(32)] as const;

t.test('puts together again whatever it takes apart', async (t) => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.constantFrom(
      HASH,
      OTHER_HASH,
      '2026-01-31T00:00:00Z',
      '2026-02-30T00:00:00.000Z',
      '\u0000',
      '\u0000h',
      '\u0000sx',
    ),
  );
  const name = fc.oneof(
    fc.string(),
    fc.constantFrom('age_seconds', '__proto__x', '__proto__', 'at', 'city', 'network'),
  );
  const number = fc.oneof(
    fc.integer(),
    fc.double({ noNaN: true, noDefaultInfinity: true }).filter((n) => !Object.is(n, -0)),
  );
  const leaf = fc.oneof(text, number, fc.boolean(), fc.constant(null));
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof({ maxDepth: 3 }, leaf, fc.array(tie('value'), { maxLength: 4 }), tie('object')),
    object: fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
  }));
  fc.assert(
    fc.property(fc.dictionary(name, value, { maxKeys: 6, noNullPrototype: true }), (signals) => {
      const plain = JSON.parse(JSON.stringify(signals)) as object;
      return JSON.stringify(putTogether(takeApart(plain))) === JSON.stringify(plain);
    }),
    { numRuns: 500 },
  );
  t.pass();
});

t.test('takes the same evidence apart into the same parts at any time, its times aside', async (t) => {
  for (const definition of TESTED_PROVIDERS) {
    const { id, full } = sampleOf(definition);
    const stored = signalsOf(
      readAnswer(definition, respond(200, full), { id }, { ...CONTEXT, hash: () => HASH }),
    );
    const at = (nowMs: number) => takeApart(definition.present(stored, nowMs, UNTOLD));
    const [{ times, ...early }, { times: later, ...late }] = [at(0), at(1e12)];
    t.same(early, late, definition.id);
    t.equal(times.length, later.length);
  }
});

t.test('leaves of hashes and numbers nothing in what is common', async (t) => {
  const of = (hash: string, asn: number) =>
    takeApart({ found: true, hash, list: [hash], asn, country: 'AU' });
  t.equal(of(HASH, 7).form, of(OTHER_HASH, 8).form);
  t.same(of(HASH, 7), { ...of(HASH, 7), hashes: HASH + HASH, numbers: [7], times: [] });
  t.not(of(HASH, 7).form, takeApart({ found: true, hash: HASH, list: [HASH], asn: 7, country: 'NZ' }).form);
});

t.test('leaves of names of places and networks nothing in what is common', async (t) => {
  const of = (network: string, city: string) => takeApart({ found: true, network, city, asn_name: city });
  t.equal(of('192.0.2.0/24', 'Oslo').form, of('198.51.100.0/24', 'Lagos').form);
  t.equal(of('192.0.2.0/24', 'Oslo').numbers.join(), '192.0.2.0/24,Oslo,Oslo');
});

t.test('refuses parts that do not belong together', async (t) => {
  const parts = takeApart({ hash: HASH, asn: 7, age_seconds: 3 });
  for (const wrong of [
    { hashes: '' },
    { hashes: HASH + HASH },
    { numbers: [] },
    { numbers: [1, 2] },
    { times: [] },
  ])
    t.throws(() => putTogether({ ...parts, ...wrong }), { code: 'DAMAGED' });
});
