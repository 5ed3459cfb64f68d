import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { LoadConnection } from '../../bench/load/connection.ts';
import { writeApiKeys } from '../support/api-key-file.ts';
import { percentile } from '../support/open-loop-load.ts';
import { startRedisServer } from '../support/redis-server.ts';
import { startProgram } from '../support/start-program.ts';
import { createServiceEnvironment, SERVICE_KEY, startService } from '../support/start-service.ts';
import { watchStarvation } from '../support/starvation.ts';
import { createDirectory, until } from '../support/test-app.ts';

const DEADLINE_MS = 100;
/** What the contract grants on top of the deadline. */
const GRACE_MS = 20;
const PER_SECOND = 45;
/** One request in three hangs: with more, circuits would open, and nobody would wait. */
const HANGING_SHARE = 3;
const PHASE_SECONDS = 4;
const PROVIDER_TIMEOUT_MS = 400;

/** Connections that calls which went well may have left in the pools. */
const POOLED_MAX = 30;

const FAULTS = ['fault-hang', 'fault-stall', 'fault-drip', 'fault-slow-9000'];

interface Answer {
  readonly phase: string;
  readonly status: number;
  readonly tookMs: number;
  /** Beyond the deadline, without what the machine took. */
  readonly overrunMs: number;
  readonly isDegraded: boolean;
}

/**
 * A port to which connections are neither accepted nor refused: its program stands still and its queue is
 * full.
 */
async function startBlackHole(t: Test): Promise<number> {
  const code = `const s = require('node:net').createServer().listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => console.log('port ' + s.address().port))`;
  const program = await startProgram(t, [process.execPath, '-e', code]);
  const port = Number((await program.until(/port (\d+)/))[1]);
  program.child.kill('SIGSTOP');
  t.teardown(() => program.child.kill('SIGKILL'));
  for (let isFull = false; !isFull; ) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    t.teardown(() => socket.destroy());
    isFull = await Promise.race([once(socket, 'connect').then(() => false), delay(300, true)]);
  }
  return port;
}

async function startEmulatorProcess(t: Test): Promise<string> {
  const program = await startProgram(t, [process.execPath, 'src/emulators/main.ts', '--port', '0']);
  return (await program.until(/^(http:\/\/\S+) /m))[1] ?? '';
}

/** Connections of this machine to a port, by their state (`01` is established, `02` is not yet). */
function connectionsTo(port: number): Record<string, number> {
  const counts: Record<string, number> = {};
  const remote = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  for (const line of readFileSync('/proc/net/tcp', 'latin1').split('\n').slice(1)) {
    const [, , address = '', state = ''] = line.trim().split(/\s+/);
    if (address.endsWith(remote)) counts[state] = (counts[state] ?? 0) + 1;
  }
  return counts;
}

t.test('answers by the deadline and 20 ms whatever hangs, and leaves nothing behind', async (t) => {
  t.setTimeout(90_000);
  const redis = await startRedisServer(t);
  const [upstream, blackHole] = await Promise.all([startEmulatorProcess(t), startBlackHole(t)]);
  const service = await startService(t, {
    ...createServiceEnvironment(t, upstream),
    // Few enough that each request is counted by a command of its own.
    API_KEYS_FILE: writeApiKeys(createDirectory(t), [
      { id: 'limited', key: SERVICE_KEY, limits: { requests: 190, window_seconds: 1 } },
    ]),
    REDIS_URL: redis.url,
    PREFACTOR_BASE_URL: `http://127.0.0.1:${blackHole}`,
    STYTCH_TIMEOUT_MS: String(PROVIDER_TIMEOUT_MS),
    MOBILERUN_TIMEOUT_MS: String(PROVIDER_TIMEOUT_MS),
    PREFACTOR_TIMEOUT_MS: String(PROVIDER_TIMEOUT_MS),
    EVENT_LOOP_DELAY_MAX_MS: '0',
    // Longer than the whole load: without the deadline nothing would end.
    DECISION_DEADLINE_MS: '10000',
  });
  const port = Number(new URL(service.origin).port);
  const ready = async () => (await (await fetch(`${service.origin}/readyz`)).json()) as { redis: string };
  await until('Redis is up', async () => (await ready()).redis === 'up');
  const upstreamPort = Number(new URL(upstream).port);
  const { pid } = service.child;
  if (pid === undefined) throw new Error('the service runs');
  const watch = watchStarvation(pid);
  t.teardown(watch.stop);

  const toRequest = (serial: number): Buffer => {
    const turn = Math.floor(serial / HANGING_SHARE);
    const isHanging = serial % HANGING_SHARE === 0;
    const good = `fault-slow-0-${serial}`;
    const body = JSON.stringify({
      telemetry_id: isHanging ? FAULTS[turn % FAULTS.length] : good,
      device_id: isHanging ? FAULTS[(turn >> 2) % FAULTS.length] : good,
      ...(turn % 2 === 0 && { max_age_ms: 0 }),
    });
    const head = [
      'POST /v1/decide HTTP/1.1',
      'Host: a',
      `X-API-Key: ${SERVICE_KEY}`,
      'Content-Type: application/json',
      `Content-Length: ${Buffer.byteLength(body)}`,
      `X-Request-Deadline: ${DEADLINE_MS}`,
      ...(serial % 2 === 0 ? [`Idempotency-Key: "key-${serial}"`] : []),
    ];
    return Buffer.from(`${head.join('\r\n')}\r\n\r\n${body}`);
  };
  let serial = 0;
  const run = async (phase: string, seconds: number): Promise<Answer[]> => {
    const idle = await Promise.all(Array.from({ length: 16 }, () => LoadConnection.open(port)));
    const connections = [...idle];
    const pending: Promise<Answer>[] = [];
    for (let turn = 0; turn < PER_SECOND * seconds; turn += 1) {
      // On a machine that stands still for a while answers are late, and their connections with them.
      const connection = idle.shift() ?? (await LoadConnection.open(port));
      if (!connections.includes(connection)) connections.push(connection);
      const { promise, resolve } = Promise.withResolvers<Answer>();
      serial += 1;
      const sentAtMs = performance.now();
      connection.send(toRequest(serial), (response) => {
        const tookMs = performance.now() - sentAtMs;
        const endedAtMs = sentAtMs + tookMs;
        idle.push(connection);
        const isError = response instanceof Error;
        const isDegraded = !isError && response.message.includes('"degraded":true');
        // A moment later, so that the watch has seen the end too.
        setTimeout(() => {
          const lostMs = watch.lostMs(sentAtMs + DEADLINE_MS / 2, endedAtMs);
          const overrunMs = tookMs - DEADLINE_MS - lostMs;
          resolve({ phase, status: isError ? 0 : response.status, tookMs, overrunMs, isDegraded });
        }, 10);
      });
      pending.push(promise);
      await delay(1000 / PER_SECOND);
    }
    const answers = await Promise.all(pending);
    for (const connection of connections) connection.close();
    return answers;
  };

  await run('warm-up', 1);
  const answers = await run('providers hang', PHASE_SECONDS);
  redis.pause();
  answers.push(...(await run('Redis hangs too', PHASE_SECONDS)));
  redis.resume();
  answers.push(...(await run('Redis is back', 1)));

  for (const [phase, group] of Map.groupBy(answers, (answer) => answer.phase)) {
    const tookMs = group.map((answer) => answer.tookMs);
    const overruns = group.map(({ overrunMs }) => overrunMs);
    t.comment(
      `${phase}: ${group.length} answers, p50 ${Math.round(percentile(tookMs, 50))} ms, longest ${Math.round(Math.max(...tookMs))} ms, ` +
        `${tookMs.filter((ms) => ms > DEADLINE_MS + GRACE_MS).length} above ${DEADLINE_MS + GRACE_MS} ms by the clock; ` +
        `longest overrun ${Math.max(...overruns).toFixed(1)} ms without what the machine took`,
    );
    t.same(
      group.filter(({ status, isDegraded }) => status !== 200 || !isDegraded),
      [],
      `${phase}: all are decided, and degraded`,
    );
    const hung = tookMs.filter((ms) => ms > DEADLINE_MS - 5).length;
    t.ok(hung > group.length / (2 * HANGING_SHARE), `${phase}: the deadline answered ${hung}`);
    t.same(
      overruns.filter((ms) => ms > GRACE_MS),
      [],
      `${phase}: nobody waits longer`,
    );
  }

  const hung = answers.filter(({ tookMs }) => tookMs > DEADLINE_MS - 5).length;
  t.ok(hung > 2 * POOLED_MAX, 'what hung would show');
  await until(
    'no call that hung is left at the emulators',
    () => (connectionsTo(upstreamPort)['01'] ?? 0) <= POOLED_MAX,
  );
  await until('no connection is being tried', () => (connectionsTo(blackHole)['02'] ?? 0) <= 1);
  service.child.kill('SIGTERM');
  t.match(await service.ended, { code: 0, signal: null, stderr: '' });
});
