import { isNotServing } from './error-code.ts';
import type { ConnectionHealth } from './guard.ts';
import { inspectRedis, isForPeople, type RedisInspection, type RedisProblem, toProblem } from './inspect.ts';

interface RedisInspectorOptions extends RedisInspection {
  /** The connections in use. While one of them is down, Redis is inspected again and again. */
  readonly connections: () => readonly ConnectionHealth[];
  /** Called when another problem is found than before; null when the last one is gone. */
  readonly onChange: (problem: RedisProblem | null) => void;
  readonly intervalMs?: number;
}

/** Names what is wrong with a Redis that can be reached, from the start on. */
export interface RedisInspector {
  /** The latest finding; null when nothing is wrong, nobody answers, or the first inspection is under way. */
  problem(): RedisProblem | null;
  /** Asks for an inspection with the next interval: a command was refused with this code. */
  recheck(code: string): void;
  close(): void;
}

const INTERVAL_MS = 5_000;

/**
 * Inspects at once and in the background. Without a problem, and with connections that are up, it then leaves
 * Redis alone. A finding is that of the inspection, or else what a connection in use was told meanwhile: they
 * may lead elsewhere than a new one, to a server that the name has left or to another node of the cluster.
 */
export function createRedisInspector(options: RedisInspectorOptions): RedisInspector {
  const { connections, onChange, intervalMs = INTERVAL_MS } = options;
  let problem: RedisProblem | null = null;
  /** What was refused since the last inspection; null is nothing. */
  let refusal: string | null = null;
  let isFirst = true;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  const toldInUse = (): RedisProblem | null => {
    const reasons = connections().map(({ reason }) => reason);
    // By a server that serves nothing the connection is down, for as long as it leads there.
    const refused = refusal === null || isNotServing(refusal) ? null : refusal;
    const code = [...reasons, refused].find((told) => told !== null && isForPeople(told));
    refusal = null;
    return code === undefined || code === null ? null : toProblem(code);
  };
  const inspect = async () => {
    const isUp = connections().every(({ state }) => state === 'up');
    if (isFirst || refusal !== null || problem !== null || !isUp) {
      isFirst = false;
      const inUse = toldInUse();
      const found = (await inspectRedis(options)) ?? inUse;
      if (isClosed) return;
      const isNews = found?.code !== problem?.code;
      problem = found;
      if (isNews) onChange(found);
    }
    timer = setTimeout(() => void inspect(), intervalMs).unref();
  };
  void inspect();
  return {
    problem: () => problem,
    recheck: (code) => {
      refusal = code;
    },
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/**
 * Of all connections in use the first that is known to be down, else `up`. One that is not made yet says
 * nothing, unless it is the first.
 */
export function judgeConnections([first, ...others]: readonly ConnectionHealth[]): ConnectionHealth {
  const isKnown = ({ state, reason }: ConnectionHealth) => state === 'down' && reason !== 'connecting';
  if (first !== undefined && first.state === 'down') return first;
  return others.find(isKnown) ?? { state: 'up', reason: null };
}
