import t, { type Test } from 'tap';
import type { Answer, DecisionBody } from '../support/answer.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { patienceOf } from '../support/start-service.ts';
import { createTestApp, type TestApp, untilListsAreKnown, untilRedisIsUp } from '../support/test-app.ts';

/** The longest times that there are, also for a Redis that waits for a processor. */
const AMPLE = { ...patienceOf(10_000), REDIS_TIMEOUT_MS: '10000', EVENT_LOOP_DELAY_MAX_MS: '0' };
/** A machine that cannot decide a thousand requests within the longest deadline is asked for fewer. */
const CROWDS = [1_000, 500, 250, 125];

const redis = await startRedisServer(t);

const LEVELS: Readonly<Record<string, (t: Test) => Promise<TestApp>>> = {
  memory: async (t) => createTestApp(t, { env: AMPLE }),
  Redis: async (t) => {
    const app = await createTestApp(t, { env: { ...AMPLE, REDIS_URL: redis.url } });
    await untilRedisIsUp(app);
    await untilListsAreKnown(app);
    return app;
  },
};

interface Crowd {
  readonly size: number;
  readonly answers: readonly Answer<DecisionBody>[];
}

/**
 * Asks for all at once, and for fewer in the next round where some were not decided in time. `judge` sees
 * each round.
 */
async function askTogether(
  t: Test,
  app: TestApp,
  toBody: (round: number, index: number) => object,
  judge: (crowd: Crowd) => void,
): Promise<Crowd> {
  for (const [round, size] of CROWDS.entries()) {
    const bodies = Array.from({ length: size }, (_, index) => toBody(round, index));
    const crowd = { size, answers: await Promise.all(bodies.map((body) => app.decide(body))) };
    judge(crowd);
    const late = crowd.answers.filter(({ json }) => json.degraded).length;
    if (late === 0) return crowd;
    t.comment(`a busy machine: ${late} of ${size} were not decided in time`);
  }
  throw new Error('the machine is too busy for any crowd');
}

for (const [level, open] of Object.entries(LEVELS)) {
  t.test(`makes one call per provider for a thousand identical cold requests, in ${level}`, async (t) => {
    const app = await open(t);
    const idOf = (round: number) => `fault-slow-0-cold-${level}-${round}`;
    const toBody = (round: number) => ({ telemetry_id: idOf(round), device_id: idOf(round) });
    let round = 0;
    const { size, answers } = await askTogether(t, app, toBody, () => {
      const calls = ['stytch', 'mobilerun', 'prefactor'].map((id) =>
        app.emulators.callCount(id, idOf(round)),
      );
      t.same(calls, [1, 1, 1], 'however late');
      round += 1;
    });
    t.same(
      countBy(answers, ({ status, json }) => `${status} ${json.decision}`),
      { '200 ALLOW': size },
    );
    t.equal(new Set(answers.map(({ json }) => json.decision_id)).size, size, 'each with its own id');
    const { miss } = countBy(answers, ({ json }) => json.providers.stytch.cache);
    t.equal(miss, 1, 'one of them made the call');
  });

  t.test(`binds one of a thousand devices that come at once, in ${level}`, async (t) => {
    const app = await open(t);
    const toBody = (round: number, index: number) => ({
      telemetry_id: `fault-slow-0-bound-${level}-${round}`,
      device_id: `fault-slow-0-crowd-${level}-${round}-${index}`,
    });
    const { size, answers } = await askTogether(t, app, toBody, (crowd) => {
      const allowed = crowd.answers.filter(({ json }) => json.decision === 'ALLOW');
      t.ok(allowed.length <= 1, 'however late, at most one is let in');
    });
    t.same(
      countBy(answers, ({ json }) => json.decision),
      { ALLOW: 1, BLOCK: size - 1 },
    );
    t.same(
      countBy(answers, ({ json }) => json.reasons.map(({ code, certain }) => `${code} ${certain}`).join()),
      { '': 1, 'TELEMETRY_REPLAYED true': size - 1 },
    );
  });
}

function countBy(
  answers: readonly Answer<DecisionBody>[],
  toName: (answer: Answer<DecisionBody>) => string,
): Record<string, number> {
  const groups = Map.groupBy(answers, toName);
  return Object.fromEntries([...groups].map(([name, group]) => [name, group.length]));
}
