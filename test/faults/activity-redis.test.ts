import t, { type Test } from 'tap';
import { startRedisServer } from '../support/redis-server.ts';
import { createTestApp, startEmulators, until, untilRedisIsUp } from '../support/test-app.ts';

const server = await startRedisServer(t);
const emulators = await startEmulators(t);

/** All that is decided about the crowded device is one of these. */
const POLICY = `policy: watchful
otherwise: ALLOW
rules:
  - {id: many-accounts, when: activity.device.accounts_1h > 2, verdict: BLOCK, reason: MANY_ACCOUNTS}
  - {id: guessing, when: activity.account.login_failed_1h >= 2, verdict: BLOCK, reason: GUESSING}
  - {id: unknown-device, when: "!activity.account.known_device", verdict: CHALLENGE, reason: UNKNOWN_DEVICE}
  - {id: busy, when: activity.device.decisions_1h > 100000, verdict: BLOCK, reason: BUSY}
`;

interface Fault {
  readonly name: string;
  readonly begin: () => unknown;
  readonly end: () => unknown;
  /** Whether what was kept before is there afterwards. */
  readonly keeps: boolean;
}

const FAULTS: readonly Fault[] = [
  { name: 'killed', begin: () => server.stop(), end: () => server.start(), keeps: false },
  { name: 'frozen', begin: () => server.pause(), end: () => server.resume(), keeps: true },
  { name: 'emptied', begin: () => server.command('FLUSHALL'), end: () => {}, keeps: false },
  {
    name: 'slow to write',
    begin: () => server.command('CLIENT PAUSE 600000 WRITE'),
    end: () => server.command('CLIENT UNPAUSE'),
    keeps: true,
  },
  {
    name: 'full',
    begin: () => server.command('CONFIG SET maxmemory 1'),
    end: () => server.command('CONFIG SET maxmemory 0'),
    keeps: true,
  },
  {
    name: 'a replica that refuses writes',
    begin: () => server.command('REPLICAOF 127.0.0.1 1'),
    end: () => server.command('REPLICAOF NO ONE'),
    keeps: true,
  },
];

type Values = Readonly<Record<string, unknown>> | 'unknown';

async function open(t: Test) {
  await server.command('FLUSHALL');
  const app = await createTestApp(t, {
    emulators,
    policy: POLICY,
    env: { REDIS_URL: server.url, REDIS_TIMEOUT_MS: '250', DECISION_DEADLINE_MS: '5000' },
  });
  await untilRedisIsUp(app);
  let serial = 0;
  const decide = async (account: string, device = 'fault-slow-0-crowded') => {
    serial += 1;
    const body = {
      telemetry_id: `fault-slow-0-${serial}`,
      device_id: device,
      account_id: account,
    };
    const { json } = await app.decide(body, { url: '/v1/decide?explain=full' });
    const { explanation } = json as unknown as {
      explanation: { signals: { activity: Readonly<Record<string, Values>> } };
    };
    return { ...json, activity: explanation.signals.activity };
  };
  const tell = async (event_id: string, account_id: string) =>
    (await app.decide({ events: [{ event_id, event: 'login_failed', account_id }] }, { url: '/v1/events' }))
      .status;
  /** Of the crowded device, asked about another account: NaN where it is unknown. */
  const counted = async () => {
    const { device = 'unknown' } = (await decide('counted')).activity;
    return device === 'unknown' ? Number.NaN : Number(device['decisions_1h'] ?? Number.NaN);
  };
  return { decide, tell, counted };
}

for (const { name, begin, end, keeps } of FAULTS) {
  t.test(`allows nothing by activity that is not known, with a Redis that is ${name}`, async (t) => {
    const { decide, tell, counted } = await open(t);
    for (const account of ['one', 'two', 'three']) await decide(account);
    t.match(await decide('one'), { decision: 'BLOCK', reasons: [{ code: 'MANY_ACCOUNTS' }] });
    t.equal(await tell('first', 'guessed'), 200);
    t.equal(await tell('second', 'guessed'), 200);
    t.match(await decide('guessed', 'fault-slow-0-other'), { decision: 'BLOCK' });
    await until('all is counted', async () => (await counted()) >= 4);
    const before = await counted();
    await begin();
    let asked = 0;
    try {
      const isUncertain = async () => {
        asked += 1;
        return (await decide('four')).degraded;
      };
      await until(`it answers as with a Redis that is ${name}`, isUncertain);
      for (let turn = 0; turn < 5; turn += 1) {
        asked += 1;
        t.not((await decide('one')).decision, 'ALLOW');
        t.not((await decide('guessed', 'fault-slow-0-other')).decision, 'ALLOW');
      }
    } finally {
      await end();
    }
    // The caller repeats what it was refused, and it counts once: those told before are known, or lost.
    for (const event of ['first', 'second', 'third'])
      await until(`${event} is kept`, async () => (await tell(event, 'guessed')) === 200);
    if (!keeps) {
      await until('the loss is found', async () => Number.isNaN(await counted()));
      t.not((await decide('one')).decision, 'ALLOW', 'nor by what was lost');
      return;
    }
    await until('what was decided meanwhile is counted', async () => (await counted()) >= before + asked);
    t.match(await decide('one'), { decision: 'BLOCK', reasons: [{ code: 'MANY_ACCOUNTS' }] });
    const { account = 'unknown' } = (await decide('guessed', 'fault-slow-0-other')).activity;
    const failed = account === 'unknown' ? 0 : Number(account['login_failed_1h']);
    t.ok(failed >= 3, `${failed}: what Redis answered too late may count twice`);
  });
}
