import t from 'tap';
import type { ProviderAnswer } from '../../../src/application/evidence/provider-answer.ts';
import { readWithOtherNames } from '../../../src/providers/calls/other-names.ts';

const hashUnder = (keyId: string) => (value: string) => `${keyId} of ${value}`;
const OTHERS = ['b', 'c'].map((keyId) => ({ keyId, hash: hashUnder(keyId) }));
const MOBILERUN = { id: 'mobilerun' };
const STYTCH = { id: 'stytch', visitorOf: (signals: object) => Reflect.get(signals, 'visitor') ?? null };

function answerOf(signals: object): ProviderAnswer {
  return {
    outcome: 'ok',
    signals: { found: true, ...signals },
    upstreamRequestId: null,
    validUntilMs: null,
  };
}

t.test('names by what subjects are remembered under every other hash key, and nothing else', async (t) => {
  const phone = readWithOtherNames(MOBILERUN, hashUnder('a'), OTHERS, (hash) =>
    answerOf({ identifiers: { imei_hash: hash('1'), gaid_hash: hash('2'), serial_hash: hash('3') } }),
  );
  t.same(phone, {
    ...answerOf({ identifiers: { imei_hash: 'a of 1', gaid_hash: 'a of 2', serial_hash: 'a of 3' } }),
    otherNames: { 'a of 1': { b: 'b of 1', c: 'c of 1' }, 'a of 2': { b: 'b of 2', c: 'c of 2' } },
  });
  const visitor = readWithOtherNames(STYTCH, hashUnder('a'), OTHERS, (hash) =>
    answerOf({ visitor: hash('v'), browser: hash('w') }),
  );
  t.match(visitor, { otherNames: { 'a of v': { b: 'b of v', c: 'c of v' } } });
});

t.test('adds nothing with one hash key, to a failure, and where nothing is named', async (t) => {
  const answer = answerOf({ identifiers: { imei_hash: 'of another' } });
  t.equal(
    readWithOtherNames(MOBILERUN, hashUnder('a'), [], () => answer),
    answer,
  );
  t.equal(
    readWithOtherNames(MOBILERUN, hashUnder('a'), OTHERS, () => answer),
    answer,
    'a hash that was not made of this answer',
  );
  const failed: ProviderAnswer = {
    outcome: 'timeout',
    upstreamRequestId: null,
    failure: 'timeout',
    isRetryable: false,
    retryAfterMs: null,
  };
  t.equal(
    readWithOtherNames(MOBILERUN, hashUnder('a'), OTHERS, () => failed),
    failed,
  );
  const nobody = readWithOtherNames(STYTCH, hashUnder('a'), OTHERS, () => answerOf({}));
  t.notOk('otherNames' in nobody);
});
