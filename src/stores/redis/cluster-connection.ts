import type { Cluster, Redis } from 'ioredis';
import { loadRedisLibrary } from './client-library.ts';
import { closeConnection } from './close-connection.ts';
import type { RedisConnection } from './connection.ts';
import { reconnectDelayMs, toCommonOptions } from './connection-options.ts';
import { isRedisReply, redisErrorCode, withCode } from './error-code.ts';
import { acceptHostlessNodes } from './hostless-cluster.ts';
import { inOneWrite } from './one-write.ts';
import type { ClusterTarget } from './target.ts';

const SLOTS = 16_384;
/** A slot that moves on while it is asked for moves once. */
const REDIRECTIONS_MAX = 3;

/**
 * Connections to the masters of a cluster. It counts as usable only while the owner of every slot answers: a
 * key whose owner is lost would cost each decision that needs it a whole budget.
 */
export function createClusterConnection(target: ClusterTarget, name: string): RedisConnection {
  const cluster = open(target, name);
  acceptHostlessNodes(cluster);
  let lastErrorCode: string | null = null;
  let isWarm = false;
  const readyListeners: (() => void)[] = [];
  cluster.on('error', (error: unknown) => {
    lastErrorCode = toCode(error);
  });
  cluster.on('close', () => {
    isWarm = false;
  });
  // ioredis connects to a master with the first command for it: that is not to be a decision's.
  const warm = async () => {
    await Promise.allSettled(cluster.nodes('master').map((node) => node.ping()));
    if (cluster.status !== 'ready') return;
    lastErrorCode = null;
    isWarm = true;
    for (const listener of readyListeners) listener();
  };
  cluster.on('ready', () => void warm());
  // After a failover this is where the new owners show.
  const refresh = () => {
    const before = cluster.slots.join();
    cluster.refreshSlotsCache((error) => {
      if (!error && cluster.slots.join() !== before) void warm();
    });
  };
  return {
    redis: cluster,
    isCluster: true,
    inOneWrite: (send) => inOneWrite(cluster.nodes('master'), send),
    isReady: () => isWarm && cluster.status === 'ready',
    lastErrorCode: () => lastErrorCode,
    onReady: (listener) => void readyListeners.push(listener),
    onLost: (listener) => void cluster.on('close', listener),
    onDoubt: (listener) => void cluster.on('-node', listener),
    probe: async () => {
      try {
        await Promise.all(ownersOf(cluster).map(askForState));
      } catch (error) {
        refresh();
        throw error;
      }
    },
    renew: refresh,
    close: () => closeConnection(cluster, cluster.nodes()),
  };
}

function open(target: ClusterTarget, name: string): Cluster {
  const { Cluster } = loadRedisLibrary();
  return new Cluster([...target.nodes], {
    enableAutoPipelining: true,
    // Filled by withScripts.
    autoPipeliningIgnoredCommands: [],
    enableOfflineQueue: false,
    // Each of these would keep a command, and with it a decision, waiting for a failover.
    retryDelayOnFailover: 0,
    retryDelayOnClusterDown: 0,
    retryDelayOnTryAgain: 0,
    maxRedirections: REDIRECTIONS_MAX,
    clusterRetryStrategy: reconnectDelayMs,
    // A timer of ioredis that may outlive the client; the probe refreshes where it finds a reason.
    slotsRefreshInterval: 0,
    // Names stay names, so that certificates can be checked against them.
    dnsLookup: (address, callback) => callback(null, address),
    redisOptions: toCommonOptions(target, name),
  });
}

/** The connection to the owner of every slot. Throws where one is missing. */
function ownersOf(cluster: Cluster): readonly Redis[] {
  const byAddress = new Map(
    cluster.nodes('master').map((node) => [`${node.options.host}:${node.options.port}`, node]),
  );
  const owners = new Set<Redis>();
  for (let slot = 0; slot < SLOTS; slot += 1) {
    const owner = byAddress.get(cluster.slots[slot]?.[0] ?? '');
    if (owner === undefined) throw withCode('SLOTS_UNSERVED');
    owners.add(owner);
  }
  return [...owners];
}

/** A node that answers may still refuse every key, because it has lost sight of the others. */
async function askForState(node: Redis): Promise<void> {
  const info = String(await node.cluster('INFO'));
  if (!/^cluster_state:ok\r?$/m.test(info)) throw withCode('CLUSTERDOWN');
}

/**
 * When no node helps, the last of their answers says why. CLUSTER SLOTS itself is refused with the general
 * code by a server that is not in cluster mode.
 */
function toCode(error: unknown): string {
  const cause: unknown = error instanceof Error && 'lastNodeError' in error ? error.lastNodeError : error;
  const code = redisErrorCode(cause ?? error);
  return isRedisReply(cause) && code === 'ERR' ? 'NOT_A_CLUSTER' : code;
}
