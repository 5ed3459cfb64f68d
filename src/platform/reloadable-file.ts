import type { Result } from './result.ts';
import { type FileLook, lookAt, watchForChanges } from './watched-file.ts';

/** A value that follows its file. A change that cannot be used leaves the last good value in place. */
export interface ReloadableFile<Value> {
  current(): Value;
  status(): FileStatus;
  /** Stops following the file. */
  close(): void;
}

/** How a followed file stands. */
export interface FileStatus {
  /** False while what is on disk was refused, or is gone: then something else is in force. */
  readonly isCurrent: boolean;
  /** When the value in force was taken, Unix milliseconds; 0 where none ever was. */
  readonly loadedAtMs: number;
  /** When the latest change was refused, Unix milliseconds; null when the latest was taken. */
  readonly refusedAtMs: number | null;
}

interface FollowOptions<Value> {
  readonly path: string;
  /** Loads the file at the start. */
  readonly loadFirst: () => Result<Value>;
  /** What there is where that fails. Without it, failing throws. */
  readonly startsWith?: Value;
  /**
   * Loads it again, without holding the event loop. `previous` is what is in force. A rejection refuses the
   * file.
   */
  readonly load: (previous: Value) => Promise<Result<Value>>;
  readonly onReload: (value: Value) => void;
  readonly onRefused: (mistakes: readonly string[]) => void;
  readonly nowMs: () => number;
}

/** Loads a file and follows it. Throws, with every mistake, when it cannot be used at first. */
export function followFile<Value>(options: FollowOptions<Value>): ReloadableFile<Value> {
  // Before it is read, so that a change while it is read is one.
  const seen: FileLook = lookAt(options.path);
  let [value, status] = start(options);
  let isClosed = false;
  const watch = watchForChanges(options.path, seen, async () => {
    const result = await loadAgain(options, value);
    if (isClosed) return;
    if (!result.ok) {
      status = { ...status, isCurrent: false, refusedAtMs: options.nowMs() };
      options.onRefused(result.mistakes);
      return;
    }
    value = result.value;
    status = { isCurrent: true, loadedAtMs: options.nowMs(), refusedAtMs: null };
    options.onReload(value);
  });
  return {
    current: () => value,
    status: () => status,
    close: () => {
      isClosed = true;
      watch.close();
    },
  };
}

function start<Value>(options: FollowOptions<Value>): [Value, FileStatus] {
  const first = options.loadFirst();
  const nowMs = options.nowMs();
  if (first.ok) return [first.value, { isCurrent: true, loadedAtMs: nowMs, refusedAtMs: null }];
  if (!('startsWith' in options)) throw new Error(first.mistakes.join('\n'));
  options.onRefused(first.mistakes);
  return [options.startsWith, { isCurrent: false, loadedAtMs: 0, refusedAtMs: nowMs }];
}

async function loadAgain<Value>(
  { load, path }: FollowOptions<Value>,
  previous: Value,
): Promise<Result<Value>> {
  try {
    return await load(previous);
  } catch (error) {
    const code: unknown = error instanceof Error ? (Reflect.get(error, 'code') ?? error.name) : error;
    return { ok: false, mistakes: [`${path}: cannot be loaded (${String(code)})`] };
  }
}
