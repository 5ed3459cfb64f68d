import type { Redis } from 'ioredis';
import { loadRedisLibrary } from './client-library.ts';
import { expectErrors } from './close-connection.ts';
import { toCommonOptions } from './connection-options.ts';
import { isRedisReply, redisErrorCode } from './error-code.ts';
import { createRedisKeys, type RedisKeys } from './keys.ts';
import { toPurgeMessage } from './purge-message.ts';
import { askServerMode } from './server-mode.ts';
import type { RedisAddress, RedisTarget, SentinelTarget } from './target.ts';

/** What only a person can mend, as a server's own answers tell it. Codes and commands are constants. */
export interface RedisProblem {
  /** The code of the server's refusal, of Node's TLS, or one of ours. */
  readonly code: string;
  /** A sentence for the operator who fixes it. */
  readonly hint: string;
  /** The commands that the ACL user may not send; empty for other problems. */
  readonly commands: readonly string[];
}

const HINTS: Readonly<Record<string, string>> = {
  WRONGPASS: 'The user name or the password is refused.',
  NOAUTH: 'It asks for a password, and none is configured.',
  NOPERM: 'The ACL user may not send these commands, or not for our keys and channel.',
  COMMAND_UNKNOWN:
    'It, or what stands before it, does not have these commands, or under other names (rename-command).',
  DATABASE_REFUSED: 'It does not have the configured database, or does not grant it.',
  CLUSTER_NODE: 'REDIS_URL names a node of a cluster: set REDIS_CLUSTER instead.',
  SENTINEL_NODE: 'This is the address of a sentinel: set REDIS_SENTINELS and REDIS_MASTER.',
  NOT_A_CLUSTER: 'REDIS_CLUSTER names a server that is not in cluster mode: set REDIS_URL instead.',
  NOT_A_SENTINEL: 'REDIS_SENTINELS names a server that is not a sentinel.',
  MASTER_UNKNOWN: 'The sentinels know no master of the name REDIS_MASTER.',
  SENTINEL_REFUSED: 'The sentinels refuse us: see REDIS_SENTINEL_USERNAME and REDIS_SENTINEL_PASSWORD.',
  READONLY: 'It is a replica and takes no writes: name the master.',
  OOM: 'Its memory is full and it evicts nothing: writes are refused.',
  NOREPLICAS: 'It asks for more replicas than follow it, and refuses writes: see min-replicas-to-write.',
  MISCONF: 'It cannot save to its disk, and refuses writes.',
  TLS: 'TLS fails: another authority, another host name, or no TLS at its port.',
};
const LOGIN_REFUSALS = ['WRONGPASS', 'NOAUTH', 'NOPERM'];
/** What was sent is right: a server that knows it answers, or refuses with a code of its own. */
const GENERAL_REFUSAL = 'ERR';
const REFUSES_WRITES = ['READONLY', 'OOM', 'MISCONF', 'NOREPLICAS'];
const TLS_CODE = /^(ERR_TLS|ERR_SSL|EPROTO|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/;

/** A server that could not be asked: nothing definite is known, and the connections say why themselves. */
const UNREACHED = Symbol('unreached');
type Finding = RedisProblem | null | typeof UNREACHED;

/** What is inspected. */
export interface RedisInspection {
  readonly target: RedisTarget;
  /** Whether the decision log is there too. */
  readonly holdsDecisions: boolean;
}

/**
 * Connects for itself, asks what a decision and its log would ask, and names the first thing that a person
 * has to mend. Null when nothing is wrong, or nobody answers. Takes seconds at worst, never rejects.
 */
export async function inspectRedis(inspection: RedisInspection): Promise<RedisProblem | null> {
  const finding = await inspectTopology(inspection);
  return finding === UNREACHED ? null : finding;
}

function inspectTopology(inspection: RedisInspection): Promise<Finding> {
  const { target } = inspection;
  switch (target.topology) {
    case 'standalone':
      return visit(open(target, target.address), (redis) => inspectServer(redis, inspection));
    case 'cluster':
      return firstAnswer(target.nodes, (node) =>
        visit(open(target, node), (redis) => inspectServer(redis, inspection)),
      );
    case 'sentinel':
      return firstAnswer(target.sentinels, (sentinel) => inspectSentinel(sentinel, target, inspection));
  }
}

async function firstAnswer(
  addresses: readonly RedisAddress[],
  inspect: (address: RedisAddress) => Promise<Finding>,
): Promise<Finding> {
  for (const address of addresses) {
    const finding = await inspect(address);
    if (finding !== UNREACHED) return finding;
  }
  return UNREACHED;
}

async function inspectSentinel(
  sentinel: RedisAddress,
  target: SentinelTarget,
  inspection: RedisInspection,
): Promise<Finding> {
  const found: { master: RedisAddress | null } = { master: null };
  const access = { ...target, credentials: target.sentinelCredentials };
  const finding = await visit(open(access, sentinel), async (redis) => {
    const { mode } = await askServerMode(redis);
    if (mode !== null && mode !== 'sentinel') return toProblem('NOT_A_SENTINEL');
    const address: unknown = await redis.call('SENTINEL', 'GET-MASTER-ADDR-BY-NAME', target.masterName);
    if (!Array.isArray(address)) return toProblem('MASTER_UNKNOWN');
    found.master = { host: String(address[0]), port: Number(address[1]) };
    return null;
  });
  if (finding !== null && finding !== UNREACHED && LOGIN_REFUSALS.includes(finding.code)) {
    return toProblem('SENTINEL_REFUSED');
  }
  if (found.master === null) return finding;
  return visit(open(target, found.master), (redis) => inspectServer(redis, inspection));
}

async function inspectServer(redis: Redis, { target, holdsDecisions }: RedisInspection): Promise<Finding> {
  const { mode } = await askServerMode(redis);
  if (mode === 'sentinel') return toProblem('SENTINEL_NODE');
  if (target.topology === 'cluster' && mode !== null && mode !== 'cluster') return toProblem('NOT_A_CLUSTER');
  if (target.topology !== 'cluster') {
    if (mode === 'cluster') return toProblem('CLUSTER_NODE');
    if (target.database !== 0 && (await isRefused(redis.select(target.database)))) {
      return toProblem('DATABASE_REFUSED');
    }
  }
  const keys = createRedisKeys(target.keyPrefix);
  const commands = [
    ...(target.topology === 'cluster' ? COMMANDS_OF_CLUSTER : []),
    ...(holdsDecisions ? commandsOfDecisionLog(keys) : []),
    ...commandsOfStores(keys),
  ];
  return inspectRights(redis, commands);
}

async function isRefused(sent: Promise<unknown>): Promise<boolean> {
  try {
    await sent;
    return false;
  } catch (error) {
    if (isRedisReply(error)) return true;
    throw error;
  }
}

/**
 * Sends every command that the stores send, on keys of its own that end by themselves. A cluster's node
 * judges the rights before it sends us elsewhere.
 */
async function inspectRights(redis: Redis, commands: readonly Command[]): Promise<RedisProblem | null> {
  const replies = await Promise.allSettled(commands.map(([name, ...rest]) => redis.call(name, ...rest)));
  const codes = replies.map((reply) => (reply.status === 'rejected' ? redisErrorCode(reply.reason) : null));
  const forbidden = commands.flatMap(([name], place) => (codes[place] === 'NOPERM' ? [name] : []));
  if (forbidden.length > 0) return { ...toProblem('NOPERM'), commands: [...new Set(forbidden)] };
  const unknown = commands.flatMap(([name], place) => (codes[place] === GENERAL_REFUSAL ? [name] : []));
  if (unknown.length > 0) return { ...toProblem('COMMAND_UNKNOWN'), commands: [...new Set(unknown)] };
  const refusal = codes.find((code) => code !== null && REFUSES_WRITES.includes(code));
  return refusal === null || refusal === undefined ? null : toProblem(refusal);
}

const LIFE_MS = '1000';

type Command = readonly [string, ...string[]];

/** What the nodes are found by, and the probe asks. */
const COMMANDS_OF_CLUSTER: readonly Command[] = [
  ['cluster', 'SLOTS'],
  ['cluster', 'INFO'],
];

function commandsOfStores(keys: RedisKeys): readonly Command[] {
  const { inspectedText: text, inspectedHash: hash, purgeChannel } = keys;
  return [
    ['ping'],
    ['set', text, '1', 'PX', LIFE_MS],
    ['get', text],
    ['incrby', text, '1'],
    ['hset', hash, 'field', '1'],
    ['hincrby', hash, 'field', '1'],
    ['hgetall', hash],
    // Of lists; a stream under the key of a hash is refused, and its right is granted.
    ['hget', hash, 'field'],
    ['hmget', hash, 'field'],
    ['hlen', hash],
    ['hscan', hash, '0'],
    ['hdel', hash, 'other'],
    ['xadd', hash, '*', 'r', ''],
    ['xrange', hash, '-', '+', 'COUNT', '1'],
    ['time'],
    ['pexpire', hash, LIFE_MS],
    ['pttl', hash],
    ['exists', hash],
    ['eval', 'return 1', '1', text],
    ['evalsha', '0'.repeat(40), '1', text],
    ['publish', purgeChannel, toPurgeMessage('inspection', [])],
    ['del', text],
    ['del', hash],
    ['subscribe', purgeChannel],
  ];
}

/**
 * What the log needs besides. Its scripts send them: a script that may not fails half way, after what it was
 * allowed.
 */
function commandsOfDecisionLog(keys: RedisKeys): readonly Command[] {
  // The keys of an hour in which nothing was ever decided.
  const { records, indexOf } = keys.decisions(0);
  return [
    ['xadd', records, 'MAXLEN', '~', '1', '*', 'r', ''],
    ['pexpireat', records, '1'],
    ['xlen', records],
    ['xrevrange', records, '+', '-', 'COUNT', '1'],
    ['zadd', indexOf, '0', ''],
    ['zrangebylex', indexOf, '-', '-'],
    ['unlink', records],
    ['unlink', indexOf],
  ];
}

/** True for what a person has to mend. A server that is loading or has lost its cluster needs time. */
export function isForPeople(code: string): boolean {
  return code in HINTS || TLS_CODE.test(code);
}

/** What a code means to the operator who fixes it. */
export function toProblem(code: string): RedisProblem {
  const hint = HINTS[TLS_CODE.test(code) ? 'TLS' : code] ?? 'It refuses us with this code.';
  return { code, hint, commands: [] };
}

function open(target: Pick<RedisTarget, 'credentials' | 'tls'>, address: RedisAddress): Redis {
  const { Redis } = loadRedisLibrary();
  return new Redis({
    ...toCommonOptions(target, 'riskgate-inspection'),
    ...address,
    lazyConnect: true,
    enableOfflineQueue: false,
    retryStrategy: null,
  });
}

/** Connects, asks, and disconnects. A refusal on the way is the finding. */
async function visit(redis: Redis, ask: (redis: Redis) => Promise<Finding>): Promise<Finding> {
  const errors: unknown[] = [];
  redis.on('error', (error: unknown) => errors.push(error));
  try {
    await redis.connect();
    return await ask(redis);
  } catch (error) {
    return toFinding([...errors, error]);
  } finally {
    expectErrors(redis);
    redis.disconnect();
  }
}

function toFinding(errors: readonly unknown[]): Finding {
  const telling = errors.find((error) => isRedisReply(error) || TLS_CODE.test(redisErrorCode(error)));
  if (telling === undefined) return UNREACHED;
  const code = redisErrorCode(telling);
  return isForPeople(code) ? toProblem(code) : UNREACHED;
}
