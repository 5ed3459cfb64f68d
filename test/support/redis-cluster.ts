import { type RedisServer, startRedisServer } from './redis-server.ts';
import { findFreePort } from './start-program.ts';
import { until } from './test-app.ts';

interface Teardown {
  teardown(handler: () => unknown): unknown;
}

/** Three masters, each with a replica. */
export interface RedisCluster {
  readonly masters: readonly RedisServer[];
  readonly replicas: readonly RedisServer[];
  /** As REDIS_CLUSTER spells them. */
  readonly nodes: string;
  /** True when this node sees every slot served. */
  isOk(node: RedisServer): Promise<boolean>;
}

const SLOTS = 16_384;
const MASTERS = 3;
/** How long a node is silent before the others hold it for lost. */
const NODE_TIMEOUT_MS = 1_000;

/**
 * Starts six servers in cluster mode, with these arguments besides, that end with the test, and waits until
 * all of them see every slot served.
 */
export async function startRedisCluster(t: Teardown, args: readonly string[] = []): Promise<RedisCluster> {
  const servers = await Promise.all(Array.from({ length: 2 * MASTERS }, () => startNode(t, args)));
  const [first] = servers;
  if (first === undefined) throw new Error('there are six');
  for (const [place, server] of servers.entries()) {
    await server.command(`CLUSTER SET-CONFIG-EPOCH ${place + 1}`);
    if (server !== first)
      await server.command(`CLUSTER MEET 127.0.0.1 ${first.port} ${await busPortOf(first)}`);
  }
  const masters = servers.slice(0, MASTERS);
  const replicas = servers.slice(MASTERS);
  for (const [place, master] of masters.entries()) {
    const from = Math.ceil((place * SLOTS) / MASTERS);
    const to = Math.ceil(((place + 1) * SLOTS) / MASTERS) - 1;
    await master.command(`CLUSTER ADDSLOTSRANGE ${from} ${to}`);
  }
  const isOk = async (node: RedisServer) => (await node.command('CLUSTER INFO')).includes('cluster_state:ok');
  for (const [place, replica] of replicas.entries()) {
    const id = lastLineOf(await (masters[place] ?? first).command('CLUSTER MYID'));
    await until(
      'the replica follows',
      async () => (await replica.command(`CLUSTER REPLICATE ${id}`)) === '+OK',
    );
  }
  for (const server of servers) await until('every slot is served', () => isOk(server));
  for (const master of masters) {
    await until('every master is followed', async () =>
      /slave0:.*state=online/.test(await master.command('INFO replication')),
    );
  }
  return { masters, replicas, nodes: servers.map(({ port }) => `127.0.0.1:${port}`).join(','), isOk };
}

function startNode(t: Teardown, args: readonly string[]): Promise<RedisServer> {
  return startRedisServer(t, {
    args: async () => [
      '--cluster-enabled',
      'yes',
      '--cluster-node-timeout',
      String(NODE_TIMEOUT_MS),
      '--cluster-port',
      String(await findFreePort()),
      '--repl-diskless-sync-delay',
      '0',
      ...args,
    ],
  });
}

async function busPortOf(server: RedisServer): Promise<string> {
  return lastLineOf(await server.command('CONFIG GET cluster-port'));
}

function lastLineOf(reply: string): string {
  return reply.split('\r\n').at(-1) ?? '';
}
