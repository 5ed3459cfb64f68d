import { hash as digest } from 'node:crypto';
import { once } from 'node:events';
import { Agent, type IncomingMessage, request } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import t, { type Test } from 'tap';
import { decodeActivity } from '../../src/stores/activity/activity-codec.ts';
import { decodeEvidence, isClaim } from '../../src/stores/evidence/evidence-codec.ts';
import type { DecisionBody } from '../support/answer.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { findFreePort, startProgram } from '../support/start-program.ts';
import {
  askForDecision,
  createServiceEnvironment,
  type RunningService,
  SERVICE_KEY,
  startService,
} from '../support/start-service.ts';
import { portOf, startEmulators, until } from '../support/test-app.ts';

/**
 * How long the balancer of this test goes on sending to a replica that says it is not ready: it looks now and
 * then, and clients hold connections.
 */
const BALANCER_LAG_MS = 400;
/** Room for a busy machine, on which the balancer looks late. */
const DRAIN_MS = 3_000;
const WORKERS = 10;

const emulators = await startEmulators(t);
const upstream = `http://127.0.0.1:${portOf(emulators.app.server.address())}`;
/** Time enough for a busy machine: this is about what is lost, not about what is late. */
const environment = (t: Test) => ({
  ...createServiceEnvironment(t, upstream),
  EVENT_LOOP_DELAY_MAX_MS: '0',
  DECISION_DEADLINE_MS: '10000',
  STYTCH_TIMEOUT_MS: '10000',
  MOBILERUN_TIMEOUT_MS: '10000',
  PREFACTOR_TIMEOUT_MS: '10000',
  REDIS_TIMEOUT_MS: '5000',
});

interface Sent {
  readonly port: number;
  readonly sentAtMs: number;
  /** A status, or the code of what went wrong instead of one. */
  readonly status: number | string;
  readonly isLast: boolean;
}

const portFrom = ({ origin }: RunningService) => Number(new URL(origin).port);

async function send(port: number, agent: Agent | false, id: string): Promise<Sent> {
  const sentAtMs = performance.now();
  const headers = { 'x-api-key': SERVICE_KEY, 'content-type': 'application/json' };
  const options = { agent, port, host: '127.0.0.1', method: 'POST', path: '/v1/decide', headers };
  try {
    const sent = request(options).end(JSON.stringify({ telemetry_id: id, device_id: id }));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const { decision } = JSON.parse(String(Buffer.concat(await response.toArray()))) as DecisionBody;
    const status = decision === 'ALLOW' ? (response.statusCode ?? 0) : decision;
    return { port, sentAtMs, status, isLast: response.headers.connection === 'close' };
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : error;
    return { port, sentAtMs, status: String(code), isLast: false };
  }
}

t.test(
  'loses no request of clients with and without keep-alive when it is told to stop, and exits 0',
  async (t) => {
    const env = { ...environment(t), DRAIN_DELAY_MS: String(DRAIN_MS) };
    const [stopping, staying] = await Promise.all([startService(t, env), startService(t, env)]);
    const ports = [portFrom(stopping), portFrom(staying)] as const;
    let balanced: readonly number[] = ports;
    let unreadyAtMs = 0;
    const all: Sent[] = [];
    let isOver = false;
    const balance = async () => {
      while (unreadyAtMs === 0) {
        const { status } = await fetch(`${stopping.origin}/readyz`);
        if (status === 503) unreadyAtMs = performance.now();
        else await delay(50);
      }
      await delay(BALANCER_LAG_MS);
      balanced = [ports[1]];
    };
    const work = async (worker: number, agent: Agent | false) => {
      for (let turn = 0; !isOver; turn += 1) {
        const port = balanced[turn % balanced.length] ?? ports[1];
        // Half of them are still in flight for a while, on evidence that nobody has.
        const id = turn % 2 === 0 ? `fault-slow-0-${worker}` : `fault-slow-100-${worker}-${turn}`;
        all.push(await send(port, agent, id));
      }
    };
    const agents = Array.from({ length: WORKERS }, () => new Agent({ keepAlive: true, maxSockets: 1 }));
    t.teardown(() => {
      for (const agent of agents) agent.destroy();
    });
    const load = Promise.all(
      [...agents, ...agents.map(() => false as const)].map((agent, worker) => work(worker, agent)),
    );
    await delay(500);
    const balancer = balance();
    const toldAtMs = performance.now();
    stopping.child.kill('SIGTERM');
    const { code, signal, stderr } = await stopping.ended;
    const stoppedAtMs = performance.now();
    await Promise.all([balancer, delay(300)]);
    isOver = true;
    await load;
    t.strictSame({ code, signal, stderr }, { code: 0, signal: null, stderr: '' });
    t.same(
      all
        .filter(({ status }) => status !== 200)
        .map(({ status, port }) => `${status} at ${ports.indexOf(port)}`),
      [],
      'every request was decided',
    );
    const late = all.filter(({ port, sentAtMs }) => port === ports[0] && sentAtMs > unreadyAtMs);
    t.ok(unreadyAtMs > 0 && unreadyAtMs < stoppedAtMs, 'readiness is the first to go');
    t.ok(late.length > 0, 'it went on deciding when it was not ready');
    t.ok(
      late.every(({ isLast }) => isLast),
      'and asked everyone to leave',
    );
    t.ok(stoppedAtMs - toldAtMs > DRAIN_MS - 100, 'for as long as it was told to');
    t.ok(
      all.some(({ port, isLast }) => port === ports[1] && !isLast),
      'the other one keeps its connections',
    );
    t.comment(
      `${all.length} requests, ${late.length} of them at the one that was not ready; ended ${Math.round(stoppedAtMs - toldAtMs)} ms after the signal`,
    );
  },
);

t.test('closes at once on a second signal, and still answers what is in flight', async (t) => {
  const service = await startService(t, { ...environment(t), DRAIN_DELAY_MS: '20000' });
  const id = 'fault-slow-800-hastened';
  const answer = askForDecision(service.origin, { telemetry_id: id, device_id: id });
  await until('it asks', () => emulators.callCount('stytch', id) === 1);
  const startedMs = performance.now();
  service.child.kill('SIGTERM');
  await until('it drains', async () => (await fetch(`${service.origin}/readyz`)).status === 503);
  // Later than what npm passes on.
  await delay(300);
  service.child.kill('SIGTERM');
  t.match(await (await answer).json(), { decision: 'ALLOW' });
  t.match(await service.ended, { code: 0, signal: null, stderr: '' });
  t.ok(performance.now() - startedMs < 10_000);
});

t.test('drains when npm alone is told', async (t) => {
  const { PATH = '', HOME = '' } = process.env;
  const env = { ...environment(t), DRAIN_DELAY_MS: '5000', PATH, HOME };
  const npm = await startProgram(t, ['npm', 'start'], { env });
  const [, port] = await npm.until(/"event":"service\.listening".*?"port":(\d+)/);
  npm.child.kill('SIGTERM');
  await until('it drains', async () => (await fetch(`http://127.0.0.1:${port}/readyz`)).status === 503);
  t.match(await npm.ended, { code: 0, signal: null, stdout: /"service\.stopped"/ });
});

t.test('says what nobody caught without its message, answers what is in flight, and exits 1', async (t) => {
  const canary = 'canary-in-a-message';
  // Frames name the program, which is its text here: the text lacks the message.
  const crash = `process.on('SIGWINCH', () => { throw new Error(atob('${btoa(canary)}')); });`;
  const env = { ...environment(t), DRAIN_DELAY_MS: '20000' };
  const command = [process.execPath, '--import', `data:text/javascript,${crash}`, 'src/main.ts'] as const;
  const service = await startProgram(t, [...command], { env });
  const [, port] = await service.until(/"event":"service\.listening".*?"port":(\d+)/);
  const id = 'fault-slow-800-crashed';
  const answer = askForDecision(`http://127.0.0.1:${port}`, { telemetry_id: id, device_id: id });
  await until('it asks', () => emulators.callCount('stytch', id) === 1);
  service.child.kill('SIGWINCH');
  await delay(10);
  // Whoever crashes twice is still told of.
  service.child.kill('SIGWINCH');
  t.match(await (await answer).json(), { decision: 'ALLOW' });
  const { code, signal, stdout, stderr } = await service.ended;
  t.strictSame({ code, signal, stderr }, { code: 1, signal: null, stderr: '' });
  t.match(stdout, /"level":"fatal".*"event":"service\.crashed".*"frames":\[/);
  t.match(stdout, /"event":"service\.stopped"/);
  t.notMatch(stdout, new RegExp(canary));
});

t.test('takes a signal that comes twice at once for one', async (t) => {
  const service = await startService(t, { ...environment(t), DRAIN_DELAY_MS: '500' });
  const startedMs = performance.now();
  // Two of one kind may become one before the service sees them.
  service.child.kill('SIGINT');
  service.child.kill('SIGTERM');
  t.match(await service.ended, { code: 0, signal: null, stderr: '' });
  t.ok(performance.now() - startedMs >= 490, 'the delay is not cut short');
});

t.test(
  'leaves nothing corrupt when it is killed under load, and decides rightly when it is back',
  async (t) => {
    const redis = await startRedisServer(t);
    const port = await findFreePort();
    const env = {
      ...environment(t),
      PORT: String(port),
      REDIS_URL: redis.url,
    };
    const first = await startService(t, env);
    const untilRedis = (origin: string) =>
      until('Redis is up', async () => {
        const { redis: state } = (await (await fetch(`${origin}/readyz`)).json()) as { redis: string };
        return state === 'up';
      });
    await untilRedis(first.origin);
    const agent = new Agent({ keepAlive: true, maxSockets: WORKERS });
    t.teardown(() => agent.destroy());
    const asked = new Set<string>();
    let isOver = false;
    const work = async (worker: number) => {
      for (let turn = 0; !isOver; turn += 1) {
        const id = `fault-slow-30-killed-${worker}-${turn}`;
        asked.add(id);
        await send(port, agent, id);
      }
    };
    const load = Promise.all(Array.from({ length: WORKERS }, (_, worker) => work(worker)));
    await until('there is something to corrupt', () => asked.size > 5 * WORKERS);
    first.child.kill('SIGKILL');
    isOver = true;
    await first.ended;
    await load;

    const client = new Redis(redis.url);
    t.teardown(() => client.disconnect());
    const kinds = { evidence: 0, claim: 0, custody: 0, generation: 0, activity: 0 };
    for (const key of await client.keys('*')) {
      const [, , kind, storeKey = '', hash] = key.split(':');
      if (kind === 'custody') {
        const binding = await client.hgetall(key);
        t.match(binding, { first: /^\d+$/, uses: /^\d+$/ });
        kinds.custody += 1;
        continue;
      }
      if (kind === 'custody-began') {
        t.match(await client.get(key), /^\S+ 0( \S+=\d+)*$/, 'nothing has been missed');
        kinds.generation += 1;
        continue;
      }
      if (kind === 'activity-2') {
        const bytes = await client.getBuffer(key);
        t.ok(bytes !== null && decodeActivity(bytes) !== null, 'it is activity');
        t.ok((await client.pttl(key)) > 0, 'it ends');
        kinds.activity += 1;
        continue;
      }
      // Since when this Redis has known of lists; there are none.
      if (kind === '{lists}') continue;
      if (kind === '{policies}') {
        const fields = await client.hgetall(key);
        if (key.endsWith(':texts'))
          for (const [name, text] of Object.entries(fields))
            t.equal(`sha256:${digest('sha256', text)}`, name, 'it is the text of its hash');
        else t.match(JSON.parse(fields['state'] ?? ''), { history: [{ why: 'file' }] }, 'it is a state');
        continue;
      }
      t.equal(kind, 'evidence', key);
      const text = (await client.get(key)) ?? '';
      t.ok((await client.pttl(key)) > 0, 'it ends');
      kinds[isClaim(text) ? 'claim' : 'evidence'] += 1;
      if (!isClaim(text)) t.ok(decodeEvidence(text, `${storeKey}:${hash}`), 'it is evidence');
    }
    const { evidence, custody, generation, activity } = kinds;
    t.ok(evidence > 0 && custody > 0 && activity > 0 && generation === 256, JSON.stringify(kinds));

    const second = await startService(t, env);
    await untilRedis(second.origin);
    const decide = async (body: Record<string, unknown>) =>
      (await (await askForDecision(second.origin, body)).json()) as DecisionBody;
    for (const id of asked) {
      const { decision, degraded } = await decide({ telemetry_id: id, device_id: id });
      t.same({ decision, degraded }, { decision: 'ALLOW', degraded: false }, id);
    }
    const [stolen = ''] = asked;
    const replayed = await decide({ telemetry_id: stolen, device_id: 'active' });
    t.match(replayed, { decision: 'BLOCK' }, 'who was first is still known');
    t.match(await decide({ telemetry_id: 'forged', device_id: 'active' }), { decision: 'BLOCK' });
    t.match(await decide({ telemetry_id: 'allow', device_id: 'revoked' }), { decision: 'BLOCK' });
    second.child.kill('SIGTERM');
    const { code, stdout } = await second.ended;
    t.equal(code, 0);
    t.notMatch(stdout, /value_refused|request\.failed/);
  },
);
