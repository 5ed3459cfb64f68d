import { type BigIntStats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';

/**
 * Polling follows files that are replaced through symbolic links, as Kubernetes replaces a ConfigMap; inotify
 * does not.
 */
const POLL_MS = 1000;
/**
 * A file that is written in place is whole when nothing has happened to it for so long: a half of it may be
 * valid, and say less.
 */
const SETTLED_MS = 250;
/** A file that is gone is being replaced, unless nothing comes in its place for so long. */
const GONE_MS = 3_000;

/**
 * What tells one state of a file from another: which file it is, when it changed, its owner and mode, or why
 * there is none to be seen. Never its times alone: an image may deliver every file with the time 0, and the
 * next one too.
 */
export type FileLook = string;

/** How the file at `path` is now; symbolic links are followed. */
export function lookAt(path: string): FileLook {
  try {
    return toLook(statSync(path, { bigint: true }));
  } catch (error) {
    return toGone(error);
  }
}

/**
 * Calls `onChange` when the file at `path` no longer is as `seen` and has come to rest, or is gone for good;
 * at most once a second, and not again before it has ended. It deals with its own failures: the watch goes
 * on, and says nothing of them. Does not keep the process alive.
 */
export function watchForChanges(
  path: string,
  seen: FileLook,
  onChange: () => void | Promise<void>,
): { close(): void } {
  let known = seen;
  let candidate: FileLook | null = null;
  let candidateSinceMs = 0;
  let isClosed = false;
  let timer: NodeJS.Timeout | undefined;
  const poll = async (): Promise<void> => {
    const now = await lookLater(path);
    if (isClosed) return;
    let waitMs = POLL_MS;
    if (now === known) candidate = null;
    else if (now !== candidate) {
      candidate = now;
      candidateSinceMs = performance.now();
      waitMs = SETTLED_MS;
    } else if (performance.now() - candidateSinceMs < (isGone(now) ? GONE_MS : SETTLED_MS)) {
      waitMs = SETTLED_MS;
    } else {
      known = now;
      candidate = null;
      try {
        await onChange();
      } catch {
        // Whatever it is, it must neither end the process nor the watch: the next change is told all the
        // same.
      }
    }
    schedule(waitMs);
  };
  const schedule = (waitMs: number): void => {
    if (!isClosed) timer = setTimeout(() => void poll(), waitMs).unref();
  };
  schedule(POLL_MS);
  return {
    close: () => {
      isClosed = true;
      clearTimeout(timer);
    },
  };
}

/** Off the event loop, which a file system that hangs would hold. */
async function lookLater(path: string): Promise<FileLook> {
  try {
    return toLook(await stat(path, { bigint: true }));
  } catch (error) {
    return toGone(error);
  }
}

function toLook({ dev, ino, size, mtimeNs, ctimeNs, mode, uid, gid }: BigIntStats): FileLook {
  return [dev, ino, size, mtimeNs, ctimeNs, mode, uid, gid].join(' ');
}

function toGone(error: unknown): FileLook {
  return `gone ${String(error instanceof Error ? Reflect.get(error, 'code') : error)}`;
}

function isGone(look: FileLook): boolean {
  return look.startsWith('gone ');
}
