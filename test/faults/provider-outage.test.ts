import t, { type Test } from 'tap';
import { createEmulatorServer } from '../../src/emulators/server.ts';
import type { Answer, DecisionBody } from '../support/answer.ts';
import {
  createManualClock,
  createTestApp,
  type ManualClock,
  type TestApp,
  type TestAppOptions,
  until,
} from '../support/test-app.ts';
import { VENDORS } from '../support/vendors.ts';

const GOOD_DEVICE = { device_id: 'active' };

interface Fixture {
  readonly app: TestApp;
  readonly clock: ManualClock;
}

/** An app whose clock stands still unless the test moves it: neither a pause nor a budget ends by itself. */
async function open(t: Test, options: TestAppOptions = {}): Promise<Fixture> {
  const clock = createManualClock();
  const app = await createTestApp(t, { clock, ...options });
  await app.decide({ telemetry_id: 'allow', ...GOOD_DEVICE });
  return { app, clock };
}

function ask(app: TestApp, telemetryId: string): Promise<Answer<DecisionBody>> {
  return app.decide({ telemetry_id: telemetryId, ...GOOD_DEVICE });
}

/** Distinct good ids, each answered after so many milliseconds. */
const goodIds = (count: number, prefix: string, ms = 0) =>
  Array.from({ length: count }, (_, index) => `fault-slow-${ms}-${prefix}-${index}`);

async function breakCircuit(app: TestApp, fault = 'fault-500'): Promise<void> {
  for (let index = 0; index < 11; index += 1) await ask(app, fault);
  t.same(circuitStates(app).at(-1), 'open');
}

function circuitStates(app: TestApp): unknown[] {
  return app.logs.filter(({ event }) => event === 'provider.circuit').map(({ state }) => state);
}

function outcomes(answers: readonly Answer<DecisionBody>[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { json } of answers) {
    const { outcome } = json.providers.stytch;
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

for (const fault of ['fault-500', 'fault-reset', 'fault-hang', 'fault-502-empty']) {
  t.test(`answers circuit_open without a call after an outage by ${fault}`, async (t) => {
    const { app } = await open(t, { env: { STYTCH_TIMEOUT_MS: '40' } });
    await breakCircuit(app, fault);
    app.emulators.resetCallCounts();
    const answers = await Promise.all(goodIds(100, 'spared').map((id) => ask(app, id)));
    t.same(outcomes(answers), { circuit_open: 100 });
    t.equal(app.emulators.callCounts()['stytch'], 0);
    for (const { status, json } of answers) {
      t.equal(status, 200);
      t.match(json, { decision: 'CHALLENGE', degraded: true });
      t.match(json.providers.stytch, { cache: 'none', latency_ms: 0, age_ms: 0, request_id: null });
    }
    const refusals = app.logs.filter(
      ({ event, outcome }) => event === 'provider.failed' && outcome === 'circuit_open',
    );
    t.equal(refusals.length, 0, 'and logs the opening, not each refusal');
  });
}

t.test('answers what it has in memory although the circuit is open', async (t) => {
  const { app } = await open(t);
  await breakCircuit(app);
  t.match((await ask(app, 'allow')).json, { decision: 'ALLOW', providers: { stytch: { cache: 'hit' } } });
});

t.test('keeps the circuits of the providers apart', async (t) => {
  const { app } = await open(t);
  await breakCircuit(app);
  const { json } = await app.decide({ telemetry_id: 'challenge', device_id: 'minimal', max_age_ms: 0 });
  t.match(json.providers, {
    stytch: { outcome: 'circuit_open' },
    mobilerun: { outcome: 'ok' },
    prefactor: { outcome: 'ok' },
  });
});

t.test('probes with one call among a hundred, and closes when it is answered', async (t) => {
  const { app, clock } = await open(t);
  await breakCircuit(app);
  app.emulators.resetCallCounts();
  clock.advance(999);
  t.equal((await ask(app, 'fault-slow-0-too-early')).json.providers.stytch.outcome, 'circuit_open');
  clock.advance(1);
  const answers = await Promise.all(goodIds(100, 'probe', 50).map((id) => ask(app, id)));
  t.same(outcomes(answers), { ok: 1, circuit_open: 99 });
  t.equal(app.emulators.callCounts()['stytch'], 1);
  t.same(circuitStates(app), ['open', 'half_open', 'closed']);
  const after = await Promise.all(goodIds(100, 'after').map((id) => ask(app, id)));
  t.same(outcomes(after), { ok: 100 });
});

t.test('stays open after a probe that fails, which is not retried', async (t) => {
  const { app, clock } = await open(t);
  await breakCircuit(app);
  app.emulators.resetCallCounts();
  clock.advance(1_000);
  t.equal((await ask(app, 'fault-500')).json.providers.stytch.outcome, 'unavailable');
  t.equal(app.emulators.callCounts()['stytch'], 1);
  clock.advance(1_999);
  t.equal((await ask(app, 'fault-slow-0-early')).json.providers.stytch.outcome, 'circuit_open');
  clock.advance(1);
  t.equal((await ask(app, 'fault-slow-0-late')).json.providers.stytch.outcome, 'ok');
});

for (const [fault, outcome] of [
  ['error-400-invalid_external_metadata', 'invalid_request'],
  ['fault-truncated', 'malformed'],
  ['fault-oversized', 'malformed'],
  ['fault-401', 'unauthorized'],
  ['fault-429-retry-after', 'rate_limited'],
] as const) {
  t.test(`does not open a circuit for ${outcome} by ${fault}`, async (t) => {
    const { app } = await open(t);
    for (let index = 0; index < 40; index += 1) {
      t.equal((await ask(app, fault)).json.providers.stytch.outcome, outcome);
    }
    t.equal((await ask(app, 'challenge')).json.providers.stytch.outcome, 'ok');
    t.same(circuitStates(app), []);
  });
}

t.test('does not open a circuit for one id that fails while others are answered', async (t) => {
  const { app } = await open(t);
  for (const good of goodIds(12, 'other')) {
    for (let index = 0; index < 4; index += 1) await ask(app, 'fault-500');
    t.equal((await ask(app, good)).json.providers.stytch.outcome, 'ok');
  }
  t.same(circuitStates(app), [], 'although four of five calls failed');
});

t.test('makes no more calls at once than allowed, lets some wait, and refuses the rest', async (t) => {
  let [current, highest] = [0, 0];
  const emulators = createEmulatorServer({ providers: VENDORS });
  t.teardown(() => emulators.app.close());
  emulators.app.addHook('onRequest', async ({ url }) => {
    if (!url.startsWith('/v1/fingerprint')) return;
    current += 1;
    highest = Math.max(highest, current);
  });
  emulators.app.addHook('onResponse', async ({ url }) => {
    if (url.startsWith('/v1/fingerprint')) current -= 1;
  });
  await emulators.app.listen({ port: 0, host: '127.0.0.1' });
  const env = { STYTCH_CONCURRENCY_MAX: '4', STYTCH_QUEUE_MAX: '6', DECISION_DEADLINE_MS: '5000' };
  const { app } = await open(t, { emulators, env });
  emulators.resetCallCounts();
  const answers = await Promise.all(goodIds(30, 'crowd', 60).map((id) => ask(app, id)));
  t.same(outcomes(answers), { ok: 10, unavailable: 20 });
  t.equal(emulators.callCounts()['stytch'], 10);
  t.equal(highest, 4);
  const full = app.logs.filter(({ failure }) => failure === 'bulkhead_full');
  t.equal(full.length, 20);
  t.match(full[0], { event: 'provider.failed', outcome: 'unavailable', attempts: 0 });
  t.same(circuitStates(app), [], 'and a crowd of ours is not an outage of theirs');
  t.same(outcomes(await Promise.all(goodIds(4, 'later').map((id) => ask(app, id)))), { ok: 4 });
});

t.test('does not call for those whose time ran out in the queue', async (t) => {
  const env = { STYTCH_CONCURRENCY_MAX: '1', STYTCH_TIMEOUT_MS: '60', DECISION_DEADLINE_MS: '5000' };
  const app = await createTestApp(t, { env });
  // The first decision of a process is slow: those that come after it come together.
  await ask(app, 'first');
  app.emulators.resetCallCounts();
  const answers = await Promise.all(['fault-hang', ...goodIds(5, 'queued')].map((id) => ask(app, id)));
  t.same(outcomes(answers), { timeout: 6 });
  t.equal(app.emulators.callCounts()['stytch'], 1);
  await until(
    'the queue is empty',
    async () => (await ask(app, 'allow')).json.providers.stytch.outcome === 'ok',
  );
});

t.test('retries ten times in ten seconds, and then no more', async (t) => {
  const { app, clock } = await open(t);
  app.emulators.resetCallCounts();
  const flaky = (count: number, prefix: string) =>
    Array.from({ length: count }, (_, index) => `fault-flaky-1-${prefix}-${index}`);
  const answers: Answer<DecisionBody>[] = [];
  for (const id of flaky(14, 'first')) answers.push(await ask(app, id));
  t.same(outcomes(answers), { ok: 10, unavailable: 4 });
  t.equal(app.emulators.callCounts()['stytch'], 14 + 10);
  clock.advance(10_000);
  t.equal((await ask(app, 'fault-flaky-1-second')).json.providers.stytch.outcome, 'ok');
});
