import type { Cluster, Redis } from 'ioredis';

/**
 * CLUSTER SLOTS: first slot, last slot, then a node each: host, port, id, and details as names and values.
 */
type SlotRange = [first: number, last: number, ...nodes: SlotNode[]];
type SlotNode = [host: string | null, port: number, id?: string, details?: readonly string[]];
type SlotsCallback = (error: Error | null, ranges?: SlotRange[]) => void;

/**
 * What ioredis does inside; `test/faults/redis-cluster-hostless.test.ts` fails where another version does it
 * otherwise.
 */
interface ClusterInside {
  getInfoFromNode(node: Redis | undefined, callback: (error?: Error) => void): void;
  handleError(error: Error, ttl: object, handlers: object): void;
}

/** A name that was never announced. */
const NO_NAME = '?';
const HOSTLESS_REDIRECTION = /^((?:MOVED|ASK) \d+ )\??:(\d+)$/;

/**
 * Teaches a new client about clusters whose nodes need not announce a host
 * (`cluster-preferred-endpoint-type unknown-endpoint`): by the protocol, such a node is reached at the host
 * that was asked, with its own port. ioredis leaves these nodes out, and without them there is no cluster.
 */
export function acceptHostlessNodes(cluster: Cluster): void {
  // Both methods are private in its types.
  const inside = cluster as unknown as ClusterInside;
  const getInfoFromNode = inside.getInfoFromNode.bind(cluster);
  inside.getInfoFromNode = (node, callback) =>
    getInfoFromNode(node === undefined ? node : naming(node), callback);
  const handleError = inside.handleError.bind(cluster);
  inside.handleError = (error, ttl, handlers) => handleError(withHost(error, cluster), ttl, handlers);
}

/** Where a redirection names no host: that of the node with this port, or the one that all nodes have. */
function withHost(error: Error, cluster: Cluster): Error {
  const [, head, port] = HOSTLESS_REDIRECTION.exec(error.message) ?? [];
  if (head === undefined) return error;
  const known = cluster.nodes('all').map(({ options }) => options);
  const hosts = new Set(known.map(({ host: one }) => one));
  const only = hosts.size === 1 ? known[0]?.host : undefined;
  const host = known.find((node) => node.port === Number(port))?.host ?? only;
  return host === undefined ? error : Object.assign(error, { message: `${head}${host}:${port}` });
}

/** The node, with every answer of its copies to CLUSTER SLOTS completed by its own host. */
function naming(node: Redis): Redis {
  const duplicate: Redis['duplicate'] = (override) => {
    const copy = node.duplicate(override);
    // Of its overloads only the one with a callback, whose reply the types leave open.
    const askFor = copy.cluster.bind(copy) as unknown as (name: string, callback: SlotsCallback) => void;
    const cluster = (name: string, callback: SlotsCallback) =>
      askFor(name, (error, ranges) =>
        callback(
          error,
          ranges?.map((range) => nameNodes(range, node)),
        ),
      );
    return Object.assign(copy, { cluster });
  };
  // ioredis asks a node for CLUSTER SLOTS by a copy of it, and for nothing else.
  return { duplicate } as Redis;
}

function nameNodes([first, last, ...nodes]: SlotRange, { options: asked }: Redis): SlotRange {
  const named = nodes.map(([host, ...rest]): SlotNode => {
    const [, , details = []] = rest;
    const address = host === NO_NAME ? details[details.indexOf('ip') + 1] : undefined;
    const isUnknown = host === null || host === '' || host === NO_NAME;
    return [isUnknown ? (address ?? asked.host ?? null) : host, ...rest];
  });
  return [first, last, ...named];
}
