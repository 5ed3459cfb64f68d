import { LRUCache } from 'lru-cache';
import { boundedTo } from '../../platform/lru-bound.ts';
import { BRIEF_LIFE_MS } from './custody-life.ts';

interface PendingKeepsOptions {
  readonly monotonicMs: () => number;
  /** False while Redis is down: nothing is sent then. */
  readonly isUp: () => boolean;
  /** Sends one keep; false where it is not known to have been done. Never rejects. */
  readonly send: (keep: Keep) => Promise<boolean>;
  /** At least 1. The oldest makes room for a new one. */
  readonly keepsMax?: number;
  readonly retryMs?: number;
}

/** A binding, under all its names, that is to have its full life. */
export interface Keep {
  /** The first name stands for the binding. */
  readonly hashes: readonly string[];
  /** Unix milliseconds, null where unknown. */
  readonly validUntilMs: number | null;
}

/** Keeps that Redis has not confirmed. */
interface PendingKeeps {
  /** Sends the keep, and again until it is done or the binding has run out. Does not wait. */
  add(keep: Keep): void;
  /** Gives up the keep of a binding that is to be forgotten. */
  drop(hashes: readonly string[]): void;
  /** Sends what waits: to be called when Redis is up again. */
  retry(): void;
}

interface Pending extends Keep {
  readonly untilMs: number;
}

/** At about 300 bytes a keep this is 3 MB. */
const KEEPS_MAX = 10_000;
/** So many are under way at once, so that decisions never wait behind all of them. */
const PIECE = 64;
const RETRY_MS = 500;

/**
 * Without its keep a binding ends within minutes, and the next use of the telemetry id is a first one; so a
 * keep outlives a lost connection and a late reply. To send one twice does nothing: lives only grow.
 */
export function createPendingKeeps(options: PendingKeepsOptions): PendingKeeps {
  const { monotonicMs, isUp, send, keepsMax = KEEPS_MAX, retryMs = RETRY_MS } = options;
  const waiting = new LRUCache<string, Pending>(boundedTo(keepsMax));
  let isSending = false;
  let timer: NodeJS.Timeout | undefined;

  const attempt = async (key: string, keep: Pending): Promise<boolean> => {
    const isDone = await send(keep);
    if (isDone && waiting.peek(key) === keep) waiting.delete(key);
    return isDone;
  };

  const retryLater = (): void => {
    clearTimeout(timer);
    if (waiting.size > 0 && isUp()) timer = setTimeout(() => void sendAll(), retryMs).unref();
  };

  const sendAll = async (): Promise<void> => {
    if (isSending || !isUp()) return;
    isSending = true;
    const keys = [...waiting.rkeys()];
    let isAnswered = true;
    for (let from = 0; from < keys.length && isAnswered; from += PIECE) {
      const piece = keys.slice(from, from + PIECE).flatMap((key) => {
        const keep = waiting.peek(key);
        if (keep !== undefined && monotonicMs() < keep.untilMs) return [attempt(key, keep)];
        waiting.delete(key);
        return [];
      });
      isAnswered = piece.length === 0 || (await Promise.all(piece)).includes(true);
    }
    isSending = false;
    retryLater();
  };

  return {
    add: ({ hashes, validUntilMs }) => {
      const [key] = hashes;
      if (key === undefined) return;
      const known = validUntilMs ?? waiting.peek(key)?.validUntilMs ?? null;
      const keep = { hashes, validUntilMs: known, untilMs: monotonicMs() + BRIEF_LIFE_MS };
      waiting.set(key, keep);
      if (isUp()) void attempt(key, keep).then((isDone) => isDone || retryLater());
    },
    drop: ([key = '']) => void waiting.delete(key),
    retry: () => void sendAll(),
  };
}
