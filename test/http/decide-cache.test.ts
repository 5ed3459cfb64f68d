import { readFileSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import type { ProviderBody } from '../support/answer.ts';
import {
  createManualClock,
  createTestApp,
  startEmulators,
  type TestAppOptions,
  until,
} from '../support/test-app.ts';

const emulators = await startEmulators(t);
const GOOD = { telemetry_id: 'allow', device_id: 'active' };

async function open(t: Test, options: TestAppOptions = {}) {
  const clock = createManualClock();
  const app = await createTestApp(t, { emulators, clock, random: () => 0, ...options });
  const ask = async (body: object = GOOD): Promise<ProviderBody> =>
    (await app.decide(body)).json.providers.stytch;
  return { app, clock, ask };
}

t.test('answers the second request from the cache, with the age of the evidence', async (t) => {
  const { app, clock } = await open(t);
  emulators.resetCallCounts();
  const first = await app.decide(GOOD);
  for (const use of Object.values(first.json.providers)) t.match(use, { cache: 'miss', age_ms: 0 });
  clock.advance(1_500);
  const second = await app.decide(GOOD);
  for (const use of Object.values(second.json.providers)) {
    t.match(use, { outcome: 'ok', cache: 'hit', age_ms: 1_500, latency_ms: 0 });
  }
  t.same(emulators.callCounts(), { stytch: 1, mobilerun: 1, prefactor: 1 });
  t.equal(second.json.decision, 'ALLOW');
  t.not(second.json.decision_id, first.json.decision_id);
  t.equal(second.json.expires_at, first.json.expires_at);
});

t.test('keeps each outcome for its own time and not longer', async (t) => {
  const env = { STYTCH_OK_TTL_SECONDS: '100', STYTCH_NOT_FOUND_TTL_SECONDS: '7' };
  const { clock, ask } = await open(t, { env });
  for (const [telemetryId, ttlMs] of [
    ['allow', 100_000],
    ['nobody', 7_000],
  ] as const) {
    const body = { ...GOOD, telemetry_id: telemetryId };
    t.equal((await ask(body)).cache, 'miss');
    clock.advance(ttlMs - 1);
    t.match(await ask(body), { cache: 'hit', age_ms: ttlMs - 1 });
    clock.advance(1);
    t.equal((await ask(body)).cache, 'miss', 'asked again at the end');
  }
});

t.test('keeps the evidence of a device that cannot be read', async (t) => {
  const { app } = await open(t);
  const body = { telemetry_id: 'allow', device_ids: { mobilerun: 'unsupported' } };
  await app.decide(body);
  t.match((await app.decide(body)).json, {
    decision: 'CHALLENGE',
    providers: { mobilerun: { outcome: 'unsupported', cache: 'hit' } },
  });
});

t.test('shortens the life of evidence by jitter, by a tenth at most', async (t) => {
  /** The number that the jitter draws, an age, and whether evidence of that age is still used. */
  const cases = [
    [0, 99_999, true],
    [0, 100_000, false],
    [0.5, 94_999, true],
    [0.5, 95_000, false],
    [0.999_999, 89_999, true],
    [0.999_999, 90_001, false],
  ] as const;
  for (const [random, ageMs, isUsed] of cases) {
    const { clock, ask } = await open(t, { env: { STYTCH_OK_TTL_SECONDS: '100' }, random: () => random });
    await ask();
    clock.advance(ageMs);
    t.equal((await ask()).cache, isUsed ? 'hit' : 'miss', `${random} ${ageMs}`);
  }
});

t.test('does not cache what has a time to live of 0', async (t) => {
  const env = { STYTCH_OK_TTL_SECONDS: '0', STYTCH_NOT_FOUND_TTL_SECONDS: '0' };
  const { ask } = await open(t, { env });
  for (const telemetryId of ['allow', 'nobody']) {
    const body = { ...GOOD, telemetry_id: telemetryId };
    await ask(body);
    t.equal((await ask(body)).cache, 'miss');
  }
});

t.test('keeps an answer of Stytch no longer than it says', async (t) => {
  const { ask, clock } = await open(t, { env: { STYTCH_OK_TTL_SECONDS: '86400' } });
  await ask();
  clock.advance(3_590_000);
  t.equal((await ask()).cache, 'hit', 'within the hour that the answer is good for');
  clock.advance(60_000);
  t.equal((await ask()).cache, 'miss', 'past it');
  const expired = { ...GOOD, telemetry_id: 'fault-expired-answer' };
  await ask(expired);
  t.equal((await ask(expired)).cache, 'miss', 'an answer that has expired is not kept at all');
});

t.test('asks again for a caller who wants no cached evidence, and keeps the new answer', async (t) => {
  const { ask, clock } = await open(t);
  await ask();
  clock.advance(1_000);
  t.equal((await ask({ ...GOOD, max_age_ms: 0 })).cache, 'miss');
  clock.advance(1_000);
  t.match(await ask(), { cache: 'hit', age_ms: 1_000 });
});

t.test('uses evidence up to the age that a caller accepts', async (t) => {
  const { ask, clock } = await open(t);
  await ask();
  clock.advance(5_000);
  t.equal((await ask({ ...GOOD, max_age_ms: 5_000 })).cache, 'hit');
  t.equal((await ask({ ...GOOD, max_age_ms: 4_999 })).cache, 'miss');
  t.match(await ask({ ...GOOD, max_age_ms: 4_999 }), { cache: 'hit', age_ms: 0 });
});

t.test('caches evidence and not decisions: the rest of the request is judged afresh', async (t) => {
  const policy = `policy: context
otherwise: ALLOW
rules:
  - {id: payout, when: 'stytch.found && request.action == "payout"', verdict: CHALLENGE, reason: PAYOUT, on_unknown: IGNORE}
`;
  const { app } = await open(t, { policy });
  for (const [action, verdict] of [
    ['login', 'ALLOW'],
    ['payout', 'CHALLENGE'],
    ['login', 'ALLOW'],
  ] as const) {
    t.equal((await app.decide({ ...GOOD, action })).json.decision, verdict);
  }
});

t.test('shares evidence about one id between the ways to name it', async (t) => {
  const { app } = await open(t);
  await app.decide(GOOD);
  const named = { telemetry_id: 'allow', device_ids: { prefactor: 'active' } };
  const { json } = await app.decide(named);
  t.match(json.providers, { mobilerun: { outcome: 'skipped', cache: 'none' }, prefactor: { cache: 'hit' } });
});

t.test(
  'judges a warm subject by a changed policy, and by the last good one when the change is broken',
  async (t) => {
    const text = readFileSync('policies/default.yaml', 'utf8');
    const { app } = await open(t, { policy: text });
    t.equal((await app.decide(GOOD)).json.decision, 'ALLOW');
    emulators.resetCallCounts();
    writeFileSync(app.policyFile, text.replace('otherwise: ALLOW', 'otherwise: CHALLENGE'));
    await until('the change is in force', async () => (await app.decide(GOOD)).json.decision === 'CHALLENGE');
    writeFileSync(app.policyFile, `${text}\nnonsense: true\n`);
    await until('the broken file is refused', () => app.events().includes('policy.refused'));
    t.equal((await app.decide(GOOD)).json.decision, 'CHALLENGE');
    t.same(emulators.callCounts(), { stytch: 0, mobilerun: 0, prefactor: 0 }, 'nobody was asked again');
    const line = app.logs.find(({ event }) => event === 'policy.refused');
    t.match(String(line?.['mistakes']), /:\d+:\d+: .*nonsense/, 'the log says where');
  },
);

t.test('keeps no more evidence than it is allowed to', async (t) => {
  const { app, ask } = await open(t, { env: { CACHE_ENTRIES_MAX: '6' } });
  const bodyOf = (index: number) => ({ telemetry_id: `fault-slow-1-${index}`, device_ids: {} });
  for (let index = 0; index < 20; index += 1) await app.decide(bodyOf(index));
  t.equal((await ask(bodyOf(19))).cache, 'hit');
  t.equal((await ask(bodyOf(0))).cache, 'miss');
});
