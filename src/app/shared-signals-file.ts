import { isKeySet } from '../http/shared-signals/key-set-text.ts';
import { readStreams, type StreamDocument } from '../http/shared-signals/streams-document.ts';
import { readTextFile } from '../platform/read-text-file.ts';
import type { Result } from '../platform/result.ts';

/** A stream, with what the files hold that it names. */
export interface StreamSettings extends StreamDocument {
  readonly name: string;
  /** The text of its key set; null where that is at its `jwks_uri`. */
  readonly localKeys: string | null;
  /** What polls present; null where they present nothing. */
  readonly pollToken: string | null;
}

const FILE_BYTES_MAX = 262_144;
const TOKEN_BYTES_MAX = 16_384;

/** The streams of a file; or every mistake in it and in the files that it names, each with its path. */
export function readSharedSignals(path: string): Result<readonly StreamSettings[]> {
  const text = readTextFile(path, FILE_BYTES_MAX);
  if (!text.ok) return text;
  const streams = readStreams(text.value);
  if (!streams.ok) return { ok: false, mistakes: streams.mistakes.map((mistake) => `${path}:${mistake}`) };
  const read = Object.entries(streams.value).map(([name, stream]) => readStream(name, stream));
  const mistakes = read.flatMap((each) => (each.ok ? [] : each.mistakes));
  if (mistakes.length > 0) return { ok: false, mistakes };
  return { ok: true, value: read.flatMap((each) => (each.ok ? [each.value] : [])) };
}

function readStream(name: string, stream: StreamDocument): Result<StreamSettings> {
  const keys = stream.jwks_file === undefined ? null : readKeys(stream.jwks_file);
  const tokenFile = stream.poll?.token_file;
  const token = tokenFile === undefined ? null : readToken(tokenFile);
  const mistakes = [keys, token].flatMap((each) => (each === null || each.ok ? [] : each.mistakes));
  if (mistakes.length > 0) return { ok: false, mistakes };
  return {
    ok: true,
    value: {
      ...stream,
      name,
      localKeys: keys?.ok ? keys.value : null,
      pollToken: token?.ok ? token.value : null,
    },
  };
}

function readKeys(path: string): Result<string> {
  const text = readTextFile(path, FILE_BYTES_MAX);
  if (!text.ok || isKeySet(text.value)) return text;
  return { ok: false, mistakes: [`${path}: holds no JSON Web Key Set`] };
}

function readToken(path: string): Result<string> {
  const text = readTextFile(path, TOKEN_BYTES_MAX);
  if (!text.ok) return text;
  const token = text.value.trim();
  return /^[\x21-\x7e]+$/.test(token)
    ? { ok: true, value: token }
    : { ok: false, mistakes: [`${path}: must hold one word of printable ASCII`] };
}
