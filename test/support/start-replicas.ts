import { createServiceEnvironment, type RunningService, SERVICE_KEY, startService } from './start-service.ts';
import { until } from './test-app.ts';

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

interface ReplicasOptions {
  /** The origin of the emulators. */
  readonly upstream: string;
  readonly redisUrl: string;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Two services as they run in production, on one Redis and with one hash key. Their patience is endless: what
 * two processes agree on is looked at, not how long a starved machine takes.
 */
export async function startReplicas(
  t: Teardown,
  { upstream, redisUrl, env = {} }: ReplicasOptions,
): Promise<readonly [RunningService, RunningService]> {
  const whole = {
    ...createServiceEnvironment(t, upstream),
    REDIS_URL: redisUrl,
    REDIS_TIMEOUT_MS: '10000',
    DECISION_DEADLINE_MS: '10000',
    // Every one of the crowd is to be answered, however late.
    EVENT_LOOP_DELAY_MAX_MS: '0',
    STYTCH_TIMEOUT_MS: '10000',
    MOBILERUN_TIMEOUT_MS: '10000',
    PREFACTOR_TIMEOUT_MS: '10000',
    ...env,
  };
  const replicas = await Promise.all([startService(t, whole), startService(t, whole)]);
  for (const { origin } of replicas) {
    await until('Redis is up', async () => {
      const ready = (await (await fetch(`${origin}/readyz`)).json()) as { redis: string };
      return ready.redis === 'up';
    });
  }
  return replicas;
}

/** The answer of POST /v1/decide with all that it was made of. */
export async function askExplained<Told>(origin: string, body: object): Promise<Told> {
  const response = await fetch(`${origin}/v1/decide?explain=full`, {
    method: 'POST',
    headers: { 'x-api-key': SERVICE_KEY, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  return (await response.json()) as Told;
}

/** Runs all jobs, so many at a time, and keeps their order. */
export async function runAll<Value>(
  jobs: readonly (() => Promise<Value>)[],
  atOnce: number,
): Promise<Value[]> {
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
