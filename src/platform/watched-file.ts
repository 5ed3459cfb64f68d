import { type Stats, unwatchFile, watchFile } from 'node:fs';

/** Polling follows files that are replaced through symbolic links, as Kubernetes replaces a ConfigMap; inotify does not. */
const POLL_MS = 1000;

/** Calls `onChange` when the file at `path` has changed, at most once a second. Does not keep the process alive. */
export function watchForChanges(path: string, onChange: () => void): { close(): void } {
  const listener = (now: Stats, before: Stats) => {
    // A file that is gone for the moment is being replaced.
    if (
      now.mtimeMs !== 0 &&
      (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino || now.size !== before.size)
    ) {
      onChange();
    }
  };
  watchFile(path, { interval: POLL_MS, persistent: false }, listener);
  return { close: () => unwatchFile(path, listener) };
}
