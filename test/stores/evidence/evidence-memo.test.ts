import t from 'tap';
import type { Evidence } from '../../../src/domain/evidence.ts';
import { encodeEvidence } from '../../../src/stores/evidence/evidence-codec.ts';
import { createEvidenceMemo } from '../../../src/stores/evidence/evidence-memo.ts';
import { createEvidence, createManualClock } from '../../contracts/evidence-store.ts';

const KEY = 'stytch:a';
const clock = createManualClock();

function textOf(changes: Partial<Evidence> = {}): string {
  return encodeEvidence(createEvidence(clock, changes));
}

t.test('gives the same object for the same text under the same key', async (t) => {
  const decode = createEvidenceMemo();
  const first = decode(textOf(), KEY);
  t.strictSame(first, createEvidence(clock));
  t.equal(decode(textOf(), KEY), first);
});

t.test('reads a text again once it has changed, and once it is what it was', async (t) => {
  const decode = createEvidenceMemo();
  const [old, fresh] = [textOf({ upstreamRequestId: 'old' }), textOf({ upstreamRequestId: 'new' })];
  for (const [text, id] of [
    [old, 'old'],
    [fresh, 'new'],
    [old, 'old'],
  ] as const)
    t.equal(decode(text, KEY)?.upstreamRequestId, id);
});

t.test('refuses under another key what it has read under one', async (t) => {
  const decode = createEvidenceMemo();
  t.ok(decode(textOf(), KEY));
  t.equal(decode(textOf(), 'mobilerun:a'), null, 'it is of another provider');
  t.not(decode(textOf(), 'stytch:b'), decode(textOf(), KEY));
});

t.test('refuses what is no evidence, again and again, and after evidence', async (t) => {
  const decode = createEvidenceMemo();
  t.ok(decode(textOf(), KEY));
  for (let time = 0; time < 2; time += 1) t.equal(decode('{}', KEY), null);
});

t.test('gives what nobody can change for others', async (t) => {
  const evidence = createEvidenceMemo()(textOf(), KEY);
  const parts = [evidence, evidence?.signals, evidence?.signals?.['reasons'], evidence?.signals?.['browser']];
  t.same(
    parts.map((part) => typeof part === 'object' && Object.isFrozen(part)),
    [true, true, true, true],
  );
});

t.test('holds no more entries and no more bytes than it may', async (t) => {
  const bounds = { entriesMax: 2, bytesMax: 1_000_000 };
  const size = 400 + 4 * textOf().length;
  for (const options of [bounds, { entriesMax: 100, bytesMax: 2.5 * size }]) {
    const decode = createEvidenceMemo(options);
    const [a, b] = ['stytch:a', 'stytch:b'].map((key) => decode(textOf(), key));
    decode(textOf(), 'stytch:c');
    t.equal(decode(textOf(), 'stytch:b'), b, 'the later one is held');
    t.not(decode(textOf(), 'stytch:a'), a, 'the oldest had to go');
  }
  const decode = createEvidenceMemo({ bytesMax: size - 1 });
  t.not(decode(textOf(), KEY), decode(textOf(), KEY), 'what is too large alone is not held');
});
