import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { OUTCOMES } from '../../src/domain/evidence.ts';
import { readAnswer } from '../../src/providers/read-answer.ts';
import { CONTEXT, NOW_MS, parseSignals, respond, signalsOf, summarise, UNTOLD } from './answer-support.ts';
import { sampleOf, TESTED_PROVIDERS } from './samples.ts';

/** What a mutation may put in the place of any value. */
const INTRUDER = fc.oneof(
  fc.jsonValue({ maxDepth: 2 }),
  fc.constantFrom<unknown>(
    '',
    'x'.repeat(100_000),
    -1,
    1e300,
    2 ** 53,
    -0,
    [],
    {},
    true,
    '\ud800',
    '\u0000',
    '__proto__',
  ),
  fc.constantFrom<unknown>(
    JSON.parse('{"__proto__":{"found":false},"constructor":1}'),
    Array(1000).fill('R'),
  ),
  fc.string({ unit: 'binary', maxLength: 600 }),
);
const STATUS = fc.oneof(fc.constantFrom(200, 404, 500), fc.integer({ min: 100, max: 599 }));
const MEDIA_TYPE = fc.constantFrom('application/json', 'application/problem+json', 'text/html', '');

for (const provider of TESTED_PROVIDERS) {
  const sample = sampleOf(provider);

  const expectOneOutcome = (status: number, mediaType: string, body: string): void => {
    const response = respond(status, body, { 'content-type': mediaType });
    const answer = readAnswer(provider, response, { id: sample.id }, CONTEXT);
    if (!OUTCOMES.includes(answer.outcome)) throw new Error(summarise(answer));
    if ('failure' in answer) {
      if (!/^[a-z0-9_]{1,40}$/.test(answer.failure)) throw new Error(answer.failure);
      return;
    }
    const presented = provider.present(answer.signals, NOW_MS, UNTOLD);
    if (!isDeepStrictEqual(parseSignals(provider, presented), presented)) {
      throw new Error(`Undeclared or ill-typed: ${JSON.stringify(presented)}`);
    }
    if (JSON.stringify(presented).length > 16_384) throw new Error('The signals are not bounded.');
  };

  t.test(`gives one outcome for any text from ${provider.id}`, async () => {
    fc.assert(fc.property(STATUS, MEDIA_TYPE, fc.string({ unit: 'binary' }), expectOneOutcome), { seed: 1 });
  });

  t.test(`gives one outcome for any JSON from ${provider.id}`, async () => {
    fc.assert(fc.property(STATUS, MEDIA_TYPE, fc.json(), expectOneOutcome), { seed: 2 });
  });

  t.test(`gives one outcome for a payload of ${provider.id} with one value replaced`, async () => {
    const paths = pathsIn(sample.full);
    const property = fc.property(fc.constantFrom(...paths), INTRUDER, (path, intruder) => {
      expectOneOutcome(200, 'application/json', JSON.stringify(replaceAt(sample.full, path, intruder)));
    });
    fc.assert(property, { seed: 3, numRuns: 1000 });
  });

  t.test(`survives deep nesting from ${provider.id}`, async (t) => {
    const deep = `${'['.repeat(120_000)}${']'.repeat(120_000)}`;
    for (const body of [deep, `{"verdict":${deep}}`, `{"summary":${deep}}`, `{"title":${deep}}`]) {
      for (const status of [200, 404, 500]) expectOneOutcome(status, 'application/json', body);
    }
    t.pass();
  });

  t.test(`keeps raw identifiers of ${provider.id} out of the signals`, async (t) => {
    const signals = signalsOf(readAnswer(provider, respond(200, sample.full), { id: sample.id }, CONTEXT));
    const stored = JSON.stringify(signals);
    const { canaries } = sample;
    t.ok(canaries.length > 0);
    for (const canary of canaries) {
      t.match(
        JSON.stringify(sample.full) + sample.id,
        canary.replace('client_secret', 'client'),
        'the canary is sent',
      );
      t.notOk(stored.includes(canary), canary);
    }
  });

  t.test(`declares and describes every signal of ${provider.id}`, async (t) => {
    t.strictSame(parseSignals(provider, provider.notFoundSignals), provider.notFoundSignals);
    const undescribed = Object.entries(provider.signals.shape)
      .filter(([, field]) => (field as { description?: string }).description === undefined)
      .map(([name]) => name);
    t.same(undescribed, []);
  });
}

type Path = readonly string[];

function pathsIn(value: unknown, at: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [at];
  return [at, ...Object.entries(value).flatMap(([name, member]) => pathsIn(member, [...at, name]))];
}

function replaceAt(value: unknown, [name, ...rest]: Path, intruder: unknown): unknown {
  if (name === undefined) return intruder;
  const copy = structuredClone(value) as Record<string, unknown>;
  copy[name] = replaceAt(copy[name], rest, intruder);
  return copy;
}
