import { readFileSync } from 'node:fs';
import { watchForChanges } from './watched-file.ts';

/** What a file's text came to, or every mistake in it. */
export type FileResult<Value> =
  | { readonly ok: true; readonly value: Value }
  | { readonly ok: false; readonly mistakes: readonly string[] };

/** A value that follows its file. A change that cannot be used leaves the last good value in place. */
export interface ReloadableFile<Value> {
  current(): Value;
  /** Stops following the file. */
  close(): void;
}

export interface ReloadOptions<Value> {
  readonly path: string;
  readonly load: (text: string) => FileResult<Value>;
  readonly onReload: (value: Value) => void;
  readonly onRefused: (mistakes: readonly string[]) => void;
}

/** Reads and loads a file once. Every mistake begins with the path; a file that cannot be read is one mistake. */
export function loadFile<Value>(path: string, load: (text: string) => FileResult<Value>): FileResult<Value> {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : error;
    return { ok: false, mistakes: [`${path}: cannot be read (${String(code)})`] };
  }
  const result = load(text);
  return result.ok ? result : { ok: false, mistakes: result.mistakes.map((mistake) => `${path}:${mistake}`) };
}

/** Follows the file behind `initial`, which must already have loaded. */
export function followFile<Value>(initial: Value, options: ReloadOptions<Value>): ReloadableFile<Value> {
  let value = initial;
  const watch = watchForChanges(options.path, () => {
    const result = loadFile(options.path, options.load);
    if (!result.ok) {
      options.onRefused(result.mistakes);
      return;
    }
    value = result.value;
    options.onReload(value);
  });
  return { current: () => value, close: () => watch.close() };
}
