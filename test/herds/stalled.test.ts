import { setTimeout as delay } from 'node:timers/promises';
import t from 'tap';
import type { DecisionBody } from '../support/answer.ts';
import { startRedisServer } from '../support/redis-server.ts';
import {
  askForDecision,
  createServiceEnvironment,
  patienceOf,
  startService,
} from '../support/start-service.ts';
import {
  createTestApp,
  portOf,
  startEmulators,
  until,
  untilListsAreKnown,
  untilRedisIsUp,
} from '../support/test-app.ts';

/**
 * Time for the decisions, and for Redis what it has by default: less than a pause of this process lasts,
 * which must not use it up.
 */
const ENV = { ...patienceOf(10_000), EVENT_LOOP_DELAY_MAX_MS: '0' };
const CROWD = 1_000;
const PAUSE_MS = 200;
const ROUNDS = 3;
/** Pauses begin so long after one another at most: in the middle of anything. */
const GAP_MS_MAX = 40;

const redis = await startRedisServer(t);

/** Holds the event loop again and again at random moments, until it is told to stop. */
function startPauses(): { stop(): number } {
  let pauses = 0;
  let timer: NodeJS.Timeout | undefined;
  const plan = () => {
    timer = setTimeout(() => {
      pauses += 1;
      const untilMs = performance.now() + PAUSE_MS;
      while (performance.now() < untilMs);
      plan();
    }, Math.random() * GAP_MS_MAX);
  };
  plan();
  return {
    stop: () => {
      clearTimeout(timer);
      return pauses;
    },
  };
}

for (let round = 0; round < ROUNDS; round += 1) {
  t.test(`answers a cold herd alike in a process that stands still again and again, ${round}`, async (t) => {
    const app = await createTestApp(t, { env: { ...ENV, REDIS_URL: redis.url } });
    await untilRedisIsUp(app);
    await untilListsAreKnown(app);
    const id = `fault-slow-0-stalled-${round}`;
    const pauses = startPauses();
    const asked = Array.from({ length: CROWD }, () => app.decide({ telemetry_id: id, device_id: id }));
    const answers = await Promise.all(asked);
    t.ok(pauses.stop() > 0, 'it stood still');
    t.same(countVerdicts(answers), { '200 ALLOW false': CROWD });
    const calls = ['stytch', 'mobilerun', 'prefactor'].map((provider) =>
      app.emulators.callCount(provider, id),
    );
    t.same(calls, [1, 1, 1], 'one call for each provider');
    t.same(
      app.logs.filter(({ event }) => event === 'redis.down'),
      [],
      'and Redis is not blamed',
    );
  });
}

t.test('answers a herd alike whose evidence is at hand and whose custody is not', async (t) => {
  const app = await createTestApp(t, { env: { ...ENV, REDIS_URL: redis.url } });
  await untilRedisIsUp(app);
  await untilListsAreKnown(app);
  const body = { telemetry_id: 'fault-slow-0-held', device_id: 'fault-slow-0-held' };
  await app.decide(body);
  const custody = (await redis.command('KEYS riskgate:v1:custody:*')).match(/riskgate:\S+/g) ?? [];
  await redis.command(['DEL', ...custody]);
  const pauses = startPauses();
  const answers = await Promise.all(Array.from({ length: CROWD }, () => app.decide(body)));
  t.ok(pauses.stop() > 0, 'it stood still');
  t.same(countVerdicts(answers), { '200 ALLOW false': CROWD });
});

t.test('answers a cold herd alike in two processes that stand still again and again', async (t) => {
  // What another hash key has written to a Redis leaves it open how often hardware was seen.
  const redis = await startRedisServer(t);
  const emulators = await startEmulators(t);
  const env = {
    ...createServiceEnvironment(t, `http://127.0.0.1:${portOf(emulators.app.server.address())}`),
    ...ENV,
    // Three programs and Redis share the machine here, and each may have to wait for it.
    REDIS_TIMEOUT_MS: '2000',
    REDIS_URL: redis.url,
  };
  const services = await Promise.all([startService(t, env), startService(t, env)]);
  for (const { origin } of services) {
    await until('Redis is up', async () => {
      const ready = (await (await fetch(`${origin}/readyz`)).json()) as { redis: string; lists: string };
      return ready.redis === 'up' && ready.lists === 'current';
    });
  }
  const id = 'fault-slow-0-replicas';
  const body = { telemetry_id: id, device_id: id };
  const ask = async (origin: string) => {
    const response = await askForDecision(origin, body);
    return { status: response.status, json: (await response.json()) as DecisionBody };
  };
  let isOver = false;
  const standStill = async () => {
    while (!isOver) {
      const { child } = services[Math.random() < 0.5 ? 0 : 1];
      child.kill('SIGSTOP');
      await delay(PAUSE_MS);
      child.kill('SIGCONT');
      await delay(Math.random() * GAP_MS_MAX);
    }
  };
  const pauses = standStill();
  const asked = services.flatMap(({ origin }) => Array.from({ length: CROWD / 2 }, () => ask(origin)));
  const answers = await Promise.all(asked);
  isOver = true;
  await pauses;
  t.same(countVerdicts(answers), { '200 ALLOW false': CROWD });
  const calls = ['stytch', 'mobilerun', 'prefactor'].map((provider) => emulators.callCount(provider, id));
  t.same(calls, [1, 1, 1], 'one call for each provider');
});

function countVerdicts(
  answers: readonly { readonly status: number; readonly json: DecisionBody }[],
): Record<string, number> {
  const verdicts = answers.map(({ status, json }) => `${status} ${json.decision} ${json.degraded}`);
  const groups = Map.groupBy(verdicts, (verdict) => verdict);
  return Object.fromEntries([...groups].map(([verdict, { length }]) => [verdict, length]));
}
