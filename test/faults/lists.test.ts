import t from 'tap';
import { startRedisServer } from '../support/redis-server.ts';
import {
  createTestApp,
  KEYS,
  startEmulators,
  type TestApp,
  until,
  untilRedisIsUp,
} from '../support/test-app.ts';

const redis = await startRedisServer(t);
const emulators = await startEmulators(t);
const open = async () => {
  const app = await createTestApp(t, { emulators, env: { REDIS_URL: redis.url } });
  await untilRedisIsUp(app);
  return app;
};

async function put(app: TestApp, body: object) {
  const { statusCode } = await app.app.server.inject({
    method: 'PUT',
    url: '/v1/lists/blocked/entries',
    headers: { authorization: `Bearer ${KEYS.review}` },
    payload: body,
  });
  return statusCode;
}

const isBlocked = async (app: TestApp) => {
  const { json } = await app.decide({ telemetry_id: 'allow', device_id: 'active' });
  return json.reasons.some(({ code, certain }) => code === 'LISTED_BLOCKED' && certain);
};
const knowledgeOf = async (app: TestApp) => (await app.ask<{ lists: string }>('GET', '/readyz')).json.lists;

/** What is done to Redis, and how that is undone. */
const faults: readonly (readonly [what: string, harm: () => unknown, mend: () => unknown])[] = [
  ['hangs', () => redis.pause(), () => redis.resume()],
  ['is killed and comes back empty', () => redis.stop(), () => redis.start()],
  ['is emptied in place', () => redis.command('FLUSHALL'), () => {}],
];

t.test('lists on two replicas of one Redis', async (t) => {
  const [here, there] = [await open(), await open()];
  t.equal(await put(here, { device_id: 'active' }), 200);
  await until('both block', async () => (await isBlocked(here)) && (await isBlocked(there)));

  for (const [what, harm, mend] of faults) {
    t.test(`keeps blocking on both replicas when Redis ${what}, and agrees afterwards`, async (t) => {
      await harm();
      for (const app of [here, there]) t.equal(await isBlocked(app), true);
      if (what !== 'is emptied in place') {
        await until('it is told', async () => (await knowledgeOf(here)) === 'stale');
        t.equal(await put(here, { asn: 7 }), 503, 'a change that cannot be kept is refused');
        t.equal((await here.ask('GET', '/readyz')).status, 200, 'it costs no readiness');
      }
      await mend();
      await until('changes are heard again', async () => {
        const states = await Promise.all([here, there].map(knowledgeOf));
        return states.every((state) => state === 'current');
      });
      for (const app of [here, there]) t.equal(await isBlocked(app), true);
      await until('Redis has the entry again', async () =>
        (await redis.command('HVALS riskgate:v1:{lists}:entries')).includes('"device"'),
      );
      const fresh = await open();
      await until('a new replica blocks too', () => isBlocked(fresh));
      await fresh.close();
    });
  }
});
