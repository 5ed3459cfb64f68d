import { randomBytes } from 'node:crypto';

/**
 * How often it is asked whether something has changed, while somebody listens: one pipeline of three reads
 * for each replica, however many listen.
 */
const ASK_MS = 250;

/**
 * What a change leaves in its hour. No other ever was or will be the same: a number that is raised starts
 * over in a Redis that has lost it, and a clock may be set back.
 */
export function newChange(): string {
  return randomBytes(CHANGE_BYTES).toString('base64url');
}

const CHANGE_BYTES = 12;

interface VersionWatch {
  readonly listen: (listener: () => void) => () => void;
  close(): void;
}

/** Tells listeners when a version is another than before. Versions that cannot be had are asked for again. */
export function watchVersion(version: () => Promise<string>): VersionWatch {
  const listeners = new Set<() => void>();
  let known: string | null = null;
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  const ask = async (): Promise<void> => {
    try {
      const found = await version();
      if (found === known) return;
      known = found;
      for (const listener of listeners) listener();
    } catch {
      // RiskgateError `store_unavailable`: the next read fails with it, too.
    }
  };
  const goOn = async (): Promise<void> => {
    await ask();
    if (listeners.size > 0 && !isClosed) timer = setTimeout(() => void goOn(), ASK_MS).unref();
    else timer = undefined;
  };
  return {
    listen: (listener) => {
      listeners.add(listener);
      timer ??= setTimeout(() => void goOn(), 0).unref();
      return () => void listeners.delete(listener);
    },
    close: () => {
      isClosed = true;
      listeners.clear();
      clearTimeout(timer);
    },
  };
}
