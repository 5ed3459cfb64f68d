import fc from 'fast-check';
import t from 'tap';
import type { RequestOrigin } from '../../../src/application/evidence/evidence-source.ts';
import type { EvidenceUse } from '../../../src/domain/decision.ts';
import { RecordedEvidence } from '../../../src/domain/decision-log/recorded-evidence.ts';
import {
  createSignalsTexts,
  fillSignalsFrame,
  toSignalsFrame,
} from '../../../src/domain/decision-log/signals-text.ts';
import type { Signals } from '../../../src/domain/evidence.ts';
import { readAnswer } from '../../../src/providers/read-answer.ts';
import { CONTEXT, respond, signalsOf } from '../../providers/answer-support.ts';
import { sampleOf, TESTED_PROVIDERS } from '../../providers/samples.ts';

/** A use of stored evidence, as it was read. */
function useOf(stored: Signals | null, signals: Signals | null): RecordedEvidence {
  const use: EvidenceUse = {
    provider: 'p',
    outcome: 'ok',
    origin: 'memory',
    latencyMs: 0.126,
    ageMs: 5,
    upstreamRequestId: null,
    stored,
    signals,
    suspect: false,
  };
  return new RecordedEvidence(use);
}

/** Its own fields, as a copy has them. */
const plainOf = (evidence: RecordedEvidence) => Object.assign({}, evidence);

const STORED: Signals = { found: true, list: ['a'], seen: { at: 5, zone: 'é"' }, count: 1 };
const readAt = (age: number): Signals => ({ ...STORED, seen: { at: 5, zone: 'é"', age_seconds: age }, age });

t.test('has the fields of any other record of evidence, and no more', async (t) => {
  const evidence = useOf(STORED, readAt(3));
  const plain = {
    outcome: 'ok',
    cache: 'hit',
    cache_level: 'memory',
    latency_ms: 0.13,
    age_ms: 5,
    request_id: null,
    suspect: false,
    signals: readAt(3),
  };
  t.equal(JSON.stringify(evidence), JSON.stringify(plain));
  t.same(plainOf(evidence), plain);
  t.equal(RecordedEvidence.storedOf(evidence), STORED);
  t.equal(RecordedEvidence.storedOf(plainOf(evidence)), null);
});

t.test('writes what JSON.stringify writes, whatever the ages are', async (t) => {
  const textOf = createSignalsTexts();
  for (const age of [3, 3, 4, -1, 0.5, 1e21])
    t.equal(textOf(useOf(STORED, readAt(age))), JSON.stringify(readAt(age)));
  const same = { ...STORED };
  for (let time = 0; time < 3; time += 1) t.equal(textOf(useOf(same, same)), JSON.stringify(same));
  t.equal(textOf(useOf(null, null)), 'null');
  t.equal(textOf(plainOf(useOf(STORED, readAt(3)))), JSON.stringify(readAt(3)), 'of a plain object too');
});

t.test('cuts the ages out, and nothing else', async (t) => {
  const frame = toSignalsFrame(STORED, readAt(3));
  t.same(frame?.paths, [['seen', 'age_seconds'], ['age']]);
  t.equal(frame && fillSignalsFrame(frame, readAt(9)), JSON.stringify(readAt(9)));
  t.same(toSignalsFrame(STORED, STORED), { parts: [JSON.stringify(STORED)], paths: [] });
  const odd: Signals = { found: true, seen: 'no object' };
  const read = { ...odd, seen: { age_seconds: 1 }, gone: undefined };
  t.same(toSignalsFrame(odd, read)?.paths, [['seen', 'age_seconds']]);
});

t.test('writes what only some readings of the same evidence have', async (t) => {
  const textOf = createSignalsTexts();
  const readings: Signals[] = [
    {},
    { same: true },
    { same: false },
    { other: true },
    { same: true, other: true },
  ].map((more) => ({ ...STORED, ...more }));
  for (const read of [...readings, ...readings, ...readings.toReversed()])
    t.equal(textOf(useOf(STORED, read)), JSON.stringify(read));
});

t.test('keeps a word that reading adds as it is', async (t) => {
  const readAfter = (age: number): Signals => ({ ...STORED, state: { name: 'old', list: ['a'], age } });
  const frame = toSignalsFrame(STORED, readAfter(3));
  t.same(frame?.paths, [['state', 'age']]);
  t.equal(frame && fillSignalsFrame(frame, readAfter(9)), JSON.stringify(readAfter(9)));
});

t.test('writes signals that hold what marks a cut', async (t) => {
  const stored: Signals = { found: true, text: '\u0000' };
  t.equal(toSignalsFrame(stored, { ...stored, age: 1 }), null);
  const textOf = createSignalsTexts();
  for (const age of [1, 2, 3])
    t.equal(textOf(useOf(stored, { ...stored, age })), JSON.stringify({ ...stored, age }));
});

/** Requests that tell neither, either or both of what evidence is compared with, as it was seen and otherwise. */
const ORIGINS: RequestOrigin[] = [undefined, '203.0.113.77', '192.0.2.1'].flatMap((ip) =>
  [undefined, 'canary-agent/1.0', 'another'].map((userAgent) => ({ ip, userAgent })),
);

t.test('writes what any provider presents of its own signals to any request at any time', async (t) => {
  let texts = 0;
  for (const definition of TESTED_PROVIDERS) {
    const { id, full } = sampleOf(definition);
    const stored = signalsOf(readAnswer(definition, respond(200, full), { id }, CONTEXT));
    const textOf = createSignalsTexts();
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 4e12 }), fc.constantFrom(...ORIGINS), (nowMs, origin) => {
        texts += 1;
        const read = definition.present(stored, nowMs, { ...origin, hash: CONTEXT.hash });
        return textOf(useOf(stored, read)) === JSON.stringify(read);
      }),
    );
  }
  t.ok(texts >= 300);
});
