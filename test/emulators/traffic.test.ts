import t, { type Test } from 'tap';
import { PHASES } from '../../src/emulators/traffic.ts';
import { CALLERS, createSubjects, type Weather } from '../../src/emulators/traffic-subjects.ts';
import { createTestApp } from '../support/test-app.ts';

const QUESTIONS = 100;

/** Numbers in [0, 1) that are the same in every run (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * What the real service decides about the traffic of some weather: shares of verdicts, and of degraded
 * decisions.
 */
async function decideAll(t: Test, weather: Weather) {
  const app = await createTestApp(t, { env: { STYTCH_TIMEOUT_MS: '5000', DECISION_DEADLINE_MS: '10000' } });
  const subjects = createSubjects(createRandom(7));
  const counts: Record<string, number> = {};
  const count = (name: string) => {
    counts[name] = (counts[name] ?? 0) + 1 / QUESTIONS;
  };
  // One after the other, as sessions come back to what they have bound.
  for (let asked = 0; asked < QUESTIONS; asked += 1) {
    const { caller, body } = subjects.next(weather);
    t.ok(CALLERS.some((known) => known === caller));
    const { status, json } = await app.decide(body);
    t.equal(status, 200);
    count(json.decision);
    if (json.degraded) count('degraded');
    for (const { code } of json.reasons) count(code);
  }
  const share = (name: string) => counts[name] ?? 0;
  return share;
}

t.test('is mostly harmless when it is calm, and not only', async (t) => {
  const share = await decideAll(t, 'calm');
  t.ok(share('ALLOW') > 0.75, `${share('ALLOW')}`);
  t.ok(share('CHALLENGE') > 0.02);
  t.ok(share('BLOCK') > 0.02);
  t.ok(share('degraded') < 0.05);
  t.equal(share('TELEMETRY_REPLAYED'), 0, 'nobody uses what belongs to another');
});

t.test('is blocked when it attacks', async (t) => {
  const share = await decideAll(t, 'attack');
  t.ok(share('BLOCK') > 0.6, `${share('BLOCK')}`);
  t.ok(share('TELEMETRY_NOT_FOUND') > 0.3);
});

t.test('is degraded in an outage, and then hardly anything is an ALLOW', async (t) => {
  const share = await decideAll(t, 'outage');
  t.ok(share('degraded') > 0.9, `${share('degraded')}`);
  t.ok(share('ALLOW') < 0.1, `${share('ALLOW')}`);
});

t.test('has an attack, an outage and a recovery in each round', async (t) => {
  t.match(
    PHASES.map(({ weather }) => weather),
    ['calm', 'attack', 'calm', 'outage', 'calm'],
  );
});
