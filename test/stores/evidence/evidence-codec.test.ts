import t from 'tap';
import { decodeEvidence, encodeEvidence, TOMBSTONE } from '../../../src/stores/evidence/evidence-codec.ts';
import { createEvidence, createManualClock } from '../../contracts/evidence-store.ts';

const KEY = 'stytch:00112233445566778899aabbccddeeff';
const evidence = createEvidence(createManualClock());

t.test('reads back what it wrote', async (t) => {
  t.strictSame(decodeEvidence(encodeEvidence(evidence), KEY), evidence);
});

t.test('reads no more than evidence has', async (t) => {
  const text = JSON.stringify({ ...evidence, verdict: 'ALLOW' });
  t.strictSame(decodeEvidence(text, KEY), evidence);
});

t.test('reads what identifiers are called under other hash keys', async (t) => {
  const hash = '00112233445566778899aabbccddeeff';
  const named = { ...evidence, otherNames: { [hash]: { aaaa1111: hash } } };
  t.strictSame(decodeEvidence(encodeEvidence(named), KEY), named);
  const mistakes = [
    null,
    [hash],
    { [hash]: hash },
    { [hash]: { aaaa1111: 'no hash' } },
    { [hash]: { a: 1 } },
  ];
  for (const otherNames of mistakes)
    t.equal(decodeEvidence(JSON.stringify({ ...evidence, otherNames }), KEY), null);
  const hostile = JSON.stringify({ ...evidence, otherNames: {} }).replace(
    '"otherNames":{}',
    '"otherNames":{"__proto__":{}}',
  );
  t.equal(decodeEvidence(hostile, KEY), null);
});

t.test('refuses text that is not evidence', async (t) => {
  const nested = `${'{"a":'.repeat(50_000)}1${'}'.repeat(50_000)}`;
  const texts = [
    '',
    TOMBSTONE,
    '{',
    'null',
    '1',
    '"ok"',
    '[]',
    '{}',
    nested,
    encodeEvidence(evidence).slice(0, -1),
  ];
  for (const text of texts) t.equal(decodeEvidence(text, KEY), null, text.slice(0, 40));
});

t.test('refuses evidence with one thing wrong', async (t) => {
  const signals = { found: true };
  const mistakes: Record<string, unknown>[] = [
    { provider: 'mobilerun' },
    { provider: 'styt' },
    { provider: '' },
    { provider: null },
    { outcome: 'timeout' },
    { outcome: 'unavailable' },
    { outcome: 'skipped' },
    { outcome: 'OK' },
    { outcome: ['ok'] },
    { outcome: undefined },
    { signals: null },
    { signals: undefined },
    { signals: [] },
    { signals: {} },
    { signals: { found: 'true' } },
    { signals: { found: 1 } },
    { signals: { ...signals, nothing: null } },
    { signals: { ...signals, list: [1] } },
    { signals: { ...signals, list: [['a']] } },
    { signals: { ...signals, deep: { a: { b: { c: { d: { e: { f: {} } } } } } } } },
    { observedAtMs: '1' },
    { observedAtMs: null },
    { expiresAtMs: null },
    { expiresAtMs: undefined },
    { upstreamRequestId: 7 },
    { upstreamRequestId: undefined },
  ];
  for (const mistake of mistakes) {
    t.equal(decodeEvidence(JSON.stringify({ ...evidence, ...mistake }), KEY), null, JSON.stringify(mistake));
  }
});

t.test('refuses numbers that JSON can spell and a policy cannot compare', async (t) => {
  const text = encodeEvidence(evidence).replace('0.5', '1e999');
  t.match(text, '1e999');
  t.equal(decodeEvidence(text, KEY), null);
});

t.test('refuses signals that name a prototype', async (t) => {
  const text = encodeEvidence(evidence).replace('"found":true', '"found":true,"__proto__":{"found":false}');
  t.match(text, '__proto__');
  t.equal(decodeEvidence(text, KEY), null);
  t.equal(Object.hasOwn(Object.prototype, 'found'), false);
});
