import t, { type Test } from 'tap';
import { startRedisServer } from '../support/redis-server.ts';
import { createTestApp, startEmulators, until, untilRedisIsUp } from '../support/test-app.ts';

const server = await startRedisServer(t);
const emulators = await startEmulators(t);
/** Stytch recommends a CHALLENGE for it. */
const BODY = { telemetry_id: 'challenge', device_id: 'active', account_id: 'acct_42' };

interface Fault {
  readonly name: string;
  readonly begin: () => unknown;
  readonly end: () => unknown;
  /** Whether what was kept before still satisfies, and whether it may be kept. */
  readonly decision: string;
  readonly kept: number;
}

const FAULTS: readonly Fault[] = [
  { name: 'killed', begin: () => server.stop(), end: () => server.start(), decision: 'CHALLENGE', kept: 503 },
  {
    name: 'frozen',
    begin: () => server.pause(),
    end: () => server.resume(),
    decision: 'CHALLENGE',
    kept: 503,
  },
  {
    name: 'emptied',
    begin: () => server.command('FLUSHALL'),
    end: () => {},
    decision: 'CHALLENGE',
    kept: 200,
  },
  {
    name: 'full',
    begin: () => server.command('CONFIG SET maxmemory 1'),
    end: () => server.command('CONFIG SET maxmemory 0'),
    decision: 'CHALLENGE',
    kept: 503,
  },
  {
    name: 'a replica that refuses writes',
    begin: () => server.command('REPLICAOF 127.0.0.1 1'),
    end: () => server.command('REPLICAOF NO ONE'),
    decision: 'CHALLENGE',
    kept: 503,
  },
];

async function open(t: Test) {
  await server.command('FLUSHALL');
  const app = await createTestApp(t, {
    emulators,
    env: { REDIS_URL: server.url, REDIS_TIMEOUT_MS: '250', DECISION_DEADLINE_MS: '5000' },
  });
  await untilRedisIsUp(app);
  const post = async (body: object) => (await app.decide(body, { url: '/v1/step-ups' })).status;
  const decide = async () => (await app.decide(BODY)).json;
  return { app, post, decide };
}

for (const { name, begin, end, decision, kept } of FAULTS) {
  t.test(`satisfies nothing that is not known, with a Redis that is ${name}`, async (t) => {
    const { post, decide } = await open(t);
    t.equal(await post(BODY), 200);
    t.match(await decide(), { decision: 'ALLOW' });
    await begin();
    try {
      await until(
        `it answers as with a Redis that is ${name}`,
        async () => (await decide()).decision === decision,
      );
      for (let turn = 0; turn < 5; turn += 1) t.equal((await decide()).decision, decision);
      t.equal(await post({ ...BODY, telemetry_id: 'challenge-2' }), kept);
    } finally {
      await end();
    }
    // The caller repeats what it was refused, and is let in.
    await until('it is kept', async () => (await post(BODY)) === 200);
    // After a loss it is not known who used the telemetry id first, which no step-up makes up for.
    const isSatisfied = (reason: { readonly satisfied?: boolean }) => reason.satisfied === true;
    await until('it satisfies', async () => (await decide()).reasons.some(isSatisfied));
  });
}

for (const { name, begin, end } of FAULTS.filter(({ kept }) => kept === 503)) {
  t.test(
    `says that a fraud did not end step-ups, and ends them when told again, with a Redis that is ${name}`,
    async (t) => {
      const { app, post, decide } = await open(t);
      const step = { ...BODY, at: new Date().toISOString() };
      const { decision_id: id } = await decide();
      const fraud = async () =>
        (await app.decide({ label: 'fraud' }, { url: `/v1/decisions/${id}/outcome` })).status;
      t.equal(await post(step), 200);
      t.match(await decide(), { decision: 'ALLOW' });
      await begin();
      try {
        await until('it is not done', async () => (await fraud()) === 503);
        t.equal((await decide()).decision, 'CHALLENGE');
      } finally {
        await end();
      }
      await until('it is done', async () => (await fraud()) === 200);
      t.equal((await decide()).decision, 'CHALLENGE');
      t.equal(await post(step), 409, 'nor does it come back');
      t.equal((await decide()).decision, 'CHALLENGE');
    },
  );
}
