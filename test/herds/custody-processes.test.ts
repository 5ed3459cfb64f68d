import t from 'tap';
import { createEmulatorServer } from '../../src/emulators/server.ts';
import { startRedisServer } from '../support/redis-server.ts';
import {
  createServiceEnvironment,
  type RunningService,
  SERVICE_KEY,
  startService,
} from '../support/start-service.ts';
import { until } from '../support/test-app.ts';
import { VENDORS } from '../support/vendors.ts';

const CROWD = 1_000;
/** Enough at once to keep both processes racing, and no more sockets than a machine grants. */
const IN_FLIGHT = 200;

interface Told {
  readonly decision: string;
  readonly reasons: readonly { readonly code: string }[];
  readonly explanation: {
    readonly signals: { readonly telemetry: { uses: number; bound_elsewhere: boolean } | null };
  };
}

const redis = await startRedisServer(t);
const emulators = createEmulatorServer({ providers: VENDORS });
const upstream = await emulators.app.listen({ host: '127.0.0.1', port: 0 });
t.teardown(() => emulators.app.close());

/** Two services as they run in production, on one Redis and with one hash key. */
async function startReplicas(): Promise<readonly [RunningService, RunningService]> {
  const env = {
    ...createServiceEnvironment(t, upstream),
    REDIS_URL: redis.url,
    // What two processes agree on is looked at here, not how long a starved Redis takes.
    REDIS_TIMEOUT_MS: '10000',
    DECISION_DEADLINE_MS: '10000',
    // Every one of the crowd is to be answered, however late.
    EVENT_LOOP_DELAY_MAX_MS: '0',
    STYTCH_TIMEOUT_MS: '10000',
    MOBILERUN_TIMEOUT_MS: '10000',
    PREFACTOR_TIMEOUT_MS: '10000',
  };
  const replicas = await Promise.all([startService(t, env), startService(t, env)]);
  for (const { origin } of replicas) {
    await until('Redis is up', async () => {
      const ready = (await (await fetch(`${origin}/readyz`)).json()) as { redis: string };
      return ready.redis === 'up';
    });
  }
  return replicas;
}

async function ask(origin: string, body: object): Promise<Told> {
  const response = await fetch(`${origin}/v1/decide?explain=full`, {
    method: 'POST',
    headers: { 'x-api-key': SERVICE_KEY, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Told;
}

/** Runs all jobs, so many at a time, and keeps their order. */
async function runAll<Value>(jobs: readonly (() => Promise<Value>)[], atOnce: number): Promise<Value[]> {
  const results: Value[] = [];
  let next = 0;
  const work = async () => {
    for (let place = next++; place < jobs.length; place = next++) {
      const job = jobs[place];
      if (job !== undefined) results[place] = await job();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  return results;
}

t.test(`binds one of ${CROWD} devices that ask two processes at once, and tells the others`, async (t) => {
  const replicas = await startReplicas();
  const telemetry_id = 'fault-slow-0-contested';
  const jobs = Array.from({ length: CROWD }, (_, index) => {
    const body = { telemetry_id, device_id: `fault-slow-0-device-${index}` };
    return () => ask(replicas[index % 2 === 0 ? 0 : 1].origin, body);
  });
  const answers = await runAll(jobs, IN_FLIGHT);
  const told = answers.map(({ explanation }) => explanation.signals.telemetry);
  t.equal(told.filter((telemetry) => telemetry === null).length, 0, 'custody was known to all');
  t.equal(told.filter((telemetry) => telemetry?.bound_elsewhere === false).length, 1, 'one is bound');
  t.equal(told.filter((telemetry) => telemetry?.bound_elsewhere).length, CROWD - 1, 'the others are told');
  t.same(
    told.map((telemetry) => telemetry?.uses).sort((left, right) => (left ?? 0) - (right ?? 0)),
    told.map((_, index) => index + 1),
    'every use has its own number',
  );
  const replayed = answers.filter(({ reasons }) => reasons.some(({ code }) => code === 'TELEMETRY_REPLAYED'));
  t.equal(replayed.length, CROWD - 1);
  t.ok(replayed.every(({ decision }) => decision === 'BLOCK'));
  const holder = told.findIndex((telemetry) => telemetry?.bound_elsewhere === false);
  for (const { origin } of replicas) {
    const again = await ask(origin, { telemetry_id, device_id: `fault-slow-0-device-${holder}` });
    t.equal(again.decision, 'ALLOW', 'the holder goes on, on both');
  }
});
