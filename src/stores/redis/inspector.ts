import { inspectRedis, type RedisInspection, type RedisProblem } from './inspect.ts';

export interface RedisInspectorOptions extends RedisInspection {
  /** While this is false, Redis is inspected again and again. */
  readonly isUp: () => boolean;
  /** Called when another problem is found than before; null when the last one is gone. */
  readonly onChange: (problem: RedisProblem | null) => void;
  readonly intervalMs?: number;
}

/** Names what is wrong with a Redis that can be reached, from the start on. */
export interface RedisInspector {
  /** The latest finding; null when nothing is wrong, nobody answers, or the first inspection is under way. */
  problem(): RedisProblem | null;
  /** Asks for an inspection with the next interval: a command was refused. */
  recheck(): void;
  close(): void;
}

const INTERVAL_MS = 5_000;

/** Inspects at once and in the background. Without a problem, and with a Redis that is up, it then leaves it alone. */
export function createRedisInspector(options: RedisInspectorOptions): RedisInspector {
  const { isUp, onChange, intervalMs = INTERVAL_MS } = options;
  let problem: RedisProblem | null = null;
  let isDoubtful = true;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  const inspect = async () => {
    if (isDoubtful || problem !== null || !isUp()) {
      isDoubtful = false;
      const found = await inspectRedis(options);
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
    recheck: () => {
      isDoubtful = true;
    },
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}
