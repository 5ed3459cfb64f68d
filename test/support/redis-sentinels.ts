import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SentinelTarget } from '../../src/stores/redis/target.ts';
import { findProgram, type RedisServer, startRedisServer } from './redis-server.ts';
import { findFreePort, startProgram } from './start-program.ts';
import { until } from './test-app.ts';

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

const NO_CREDENTIALS = { username: null, password: null };

/** The target of stores behind these sentinels. */
export function toSentinelTarget(
  { addresses, masterName }: Pick<RedisSentinels, 'addresses' | 'masterName'>,
  keyPrefix: string,
): SentinelTarget {
  return {
    topology: 'sentinel',
    sentinels: addresses.split(',').map((address) => {
      const [host = '', port] = address.split(':');
      return { host, port: Number(port) };
    }),
    masterName,
    credentials: NO_CREDENTIALS,
    sentinelCredentials: NO_CREDENTIALS,
    database: 0,
    tls: null,
    keyPrefix,
  };
}

/** A master, its replica, and three sentinels that watch them. */
export interface RedisSentinels {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  /** As REDIS_SENTINELS spells them. */
  readonly addresses: string;
  readonly masterName: string;
  /** The port of the master that the sentinels agree on. */
  masterPort(): Promise<number>;
  /** Asks a sentinel to make the other one master, and resolves with its raw reply. */
  failOver(): Promise<string>;
}

const NAME = 'main';
const QUORUM = 2;
const DOWN_AFTER_MS = 500;

/**
 * Starts five servers that end with the test, and waits until the sentinels know each other and the replica.
 */
export async function startRedisSentinels(t: Teardown): Promise<RedisSentinels> {
  const args = () => ['--repl-diskless-sync-delay', '0'];
  const [master, replica] = await Promise.all([startRedisServer(t, { args }), startRedisServer(t, { args })]);
  await replica.command(`REPLICAOF 127.0.0.1 ${master.port}`);
  await until('the replica follows', async () =>
    (await replica.command('INFO replication')).includes('master_link_status:up'),
  );
  const ports = await Promise.all([
    startSentinel(t, master),
    startSentinel(t, master),
    startSentinel(t, master),
  ]);
  for (const port of ports) {
    await until('the sentinels can fail over', async () => {
      const quorum = await ask(port, `SENTINEL CKQUORUM ${NAME}`);
      return quorum.startsWith('+OK 3') && /slave/.test(await ask(port, `SENTINEL REPLICAS ${NAME}`));
    });
  }
  const [first] = ports;
  return {
    master,
    replica,
    addresses: ports.map((port) => `127.0.0.1:${port}`).join(','),
    masterName: NAME,
    failOver: () => ask(first, `SENTINEL FAILOVER ${NAME}`),
    masterPort: async () =>
      Number((await ask(first, `SENTINEL GET-MASTER-ADDR-BY-NAME ${NAME}`)).split('\r\n').at(-1)),
  };
}

/**
 * Starts one sentinel that watches the master under the name `main`, with more lines of configuration, and
 * returns its port.
 */
export async function startSentinel(
  t: Teardown,
  master: RedisServer,
  more: readonly string[] = [],
): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), 'riskgate-sentinel-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  const port = await findFreePort();
  const file = join(directory, 'sentinel.conf');
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${directory}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${master.port} ${QUORUM}`,
    `sentinel down-after-milliseconds ${NAME} ${DOWN_AFTER_MS}`,
    `sentinel failover-timeout ${NAME} 3000`,
    ...more,
  ];
  writeFileSync(file, `${lines.join('\n')}\n`);
  await startProgram(t, [findProgram(), file, '--sentinel'], { env: process.env });
  await until('the sentinel answers', async () => (await ask(port, 'PING')) !== '');
  return port;
}

/** One command as a line; the empty text where nobody answers. */
async function ask(port: number, command: string): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    socket.write(`${command}\r\n`);
    const [reply] = (await once(socket, 'data')) as [Buffer];
    return reply.toString().trim();
  } catch {
    // Refused or reset: it does not listen yet.
    return '';
  } finally {
    socket.destroy();
  }
}
