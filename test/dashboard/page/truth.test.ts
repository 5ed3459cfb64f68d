import t from 'tap';
import {
  countApart,
  isNotGiven,
  outcomeWords,
  stateReasons,
  tellWhy,
} from '../../../src/dashboard/page/truth.ts';
import type { EvidenceUse, Reason } from '../../../src/dashboard/page/wire.ts';
import { OUTCOMES } from '../../../src/domain/evidence.ts';
import { createRow } from './rows.ts';

const reasonOf = (code: string, reason: Partial<Reason> = {}): Reason => ({
  code,
  rule: code.toLowerCase(),
  verdict: 'BLOCK',
  providers: [],
  certain: true,
  ...reason,
});
const useOf = (outcome: string, use: Partial<EvidenceUse> = {}): EvidenceUse => ({
  outcome,
  cache: 'miss',
  cache_level: null,
  latency_ms: 1,
  age_ms: 0,
  suspect: false,
  ...use,
});

t.test('a rule that was not ruled out is never told like one that was true', async (t) => {
  const row = createRow('a', {
    reasons: [
      reasonOf('REVOKED', { certain: false, providers: ['prefactor', 'stytch'] }),
      reasonOf('FORGED'),
      reasonOf('FORGED', { certain: false, providers: ['prefactor'] }),
      reasonOf('ODD', { certain: false, providers: ['mobilerun'] }),
      reasonOf('LISTED', { certain: false }),
    ],
    waivers: [{ code: 'ROOTED', rule: 'rooted', providers: ['prefactor'] }],
    providers: {
      prefactor: useOf('timeout'),
      stytch: useOf('ok'),
      mobilerun: useOf('not_found', { suspect: true }),
    },
  });
  t.strictSame(stateReasons(row), [
    { code: 'FORGED', standing: 'true', because: null },
    { code: 'REVOKED', standing: 'unknown', because: 'Prefactor timed out' },
    { code: 'ODD', standing: 'unknown', because: 'Mobilerun is suspect' },
    { code: 'LISTED', standing: 'unknown', because: 'evidence was missing' },
    { code: 'ROOTED', standing: 'waived', because: 'Prefactor timed out' },
  ]);
});

t.test('the cause of a record is told in words', async (t) => {
  t.equal(tellWhy('prefactor timeout, stytch suspect'), 'Prefactor timed out, Stytch is suspect');
  t.equal(tellWhy('activity.account.blocks_1h unknown'), 'activity.account.blocks 1h unknown');
  t.equal(tellWhy('no step-up'), 'no step-up');
  for (const outcome of OUTCOMES) {
    if (['ok', 'not_found', 'unsupported'].includes(outcome)) continue;
    t.notMatch(tellWhy(`stytch ${outcome}`), /_|^stytch/, outcome);
  }
});

t.test('an id that was not given is neither unknown to a provider nor skipped', async (t) => {
  t.equal(outcomeWords(useOf('not_found', { cache: 'none' })), 'not given');
  t.equal(outcomeWords(useOf('not_found')), 'not found');
  t.equal(outcomeWords(useOf('not_found', { cache: 'hit' })), 'not found');
  t.notOk(isNotGiven(useOf('skipped', { cache: 'none' })));
});

t.test('reasons are counted apart, and what a step-up satisfied is not counted twice', async (t) => {
  const counts = {
    REVOKED: 55,
    'REVOKED:unknown': 1_173,
    FORGED: 60,
    'FORGED:satisfied': 9,
    'ROOTED:waived': 7,
    GONE: 0,
  };
  t.strictSame(countApart(counts, 8), [
    { code: 'REVOKED', true: 55, unknown: 1_173, waived: 0 },
    { code: 'FORGED', true: 60, unknown: 0, waived: 0 },
    { code: 'ROOTED', true: 0, unknown: 0, waived: 7 },
  ]);
  t.equal(countApart(counts, 1).length, 1);
});
