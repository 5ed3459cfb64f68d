import { type Stats, statSync, unwatchFile, watchFile } from 'node:fs';

/** Polling follows files that are replaced through symbolic links, as Kubernetes replaces a ConfigMap; inotify does not. */
const POLL_MS = 1000;
/** A file that is written in place is whole when nothing has happened to it for so long: a half of it may be valid, and say less. */
const SETTLED_MS = 250;

/** Calls `onChange` when the file at `path`, its owner or its mode has changed and come to rest, at most once a second. Does not keep the process alive. */
export function watchForChanges(path: string, onChange: () => void): { close(): void } {
  let timer: NodeJS.Timeout | undefined;
  const settle = (seen: Stats) => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const now = look(path);
      // Gone for the moment: the watch tells of what comes in its place.
      if (now === null) return;
      if (isSame(now, seen)) onChange();
      else settle(now);
    }, SETTLED_MS).unref();
  };
  const listener = (now: Stats, before: Stats) => {
    // A file that is gone for the moment is being replaced.
    if (now.mtimeMs !== 0 && !isSame(now, before)) settle(now);
  };
  watchFile(path, { interval: POLL_MS, persistent: false }, listener);
  return {
    close: () => {
      clearTimeout(timer);
      unwatchFile(path, listener);
    },
  };
}

function look(path: string): Stats | null {
  try {
    return statSync(path);
  } catch {
    return null;
  }
}

function isSame(one: Stats, other: Stats): boolean {
  const isSameText = one.mtimeMs === other.mtimeMs && one.ino === other.ino && one.size === other.size;
  return isSameText && one.mode === other.mode && one.uid === other.uid && one.gid === other.gid;
}
