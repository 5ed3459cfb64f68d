/**
 * What a server says that will not serve us at the moment: an answer, and yet as good as none. What a replica
 * holds may be out of date, so it is not read from either.
 */
const NOT_SERVING: ReadonlySet<string> = new Set([
  'CLUSTERDOWN',
  'LOADING',
  'MASTERDOWN',
  'NOAUTH',
  'READONLY',
]);
/**
 * What a server says that may have been the one to ask until a moment ago. It may also be in need of a
 * replica or of a disk, and can be read all the same. ioredis follows MOVED, but not where a batch holds
 * several slots.
 */
const MAYBE_REPLACED: ReadonlySet<string> = new Set(['MISCONF', 'MOVED', 'NOREPLICAS']);
/**
 * Redis before version 7 wraps what a script was refused: `ERR Error running script (…): … -READONLY You
 * can't …`, and in the script itself `@user_script: 7: -READONLY You can't …`.
 */
const REFUSED_IN_SCRIPT =
  /^(?:ERR Error running script.*|@?user_script: ?\d+:) -?(READONLY|OOM|MISCONF|NOREPLICAS|NOPERM|WRONGTYPE)\b/;

/** True for an answer of the server that says no. Everything else means that no answer came. */
export function isRedisReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** True for an answer by which the server refuses every command for a while. */
export function isNotServing(code: string): boolean {
  return NOT_SERVING.has(code);
}

/** True for an answer after which the name of the server may lead to another one. */
export function isMaybeReplaced(code: string): boolean {
  return MAYBE_REPLACED.has(code);
}

/**
 * A short code without any text of a caller: a reply's first word (`WRONGPASS`, `OOM`), which the Redis
 * protocol defines as its error code, or the socket's code, or `no_answer` for ioredis's own timeouts and
 * lost connections.
 */
export function redisErrorCode(error: unknown): string {
  if (isRedisReply(error)) return toErrorCode(error.message);
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : 'no_answer';
}

/**
 * The code in the text of an error reply, or in what a script was refused. Anything else is `ERR`, so that no
 * text of the script gets further.
 */
export function toErrorCode(message: string): string {
  const code = REFUSED_IN_SCRIPT.exec(message)?.[1] ?? message.split(' ', 1)[0] ?? '';
  return code === '' || code.includes('user_script') ? 'ERR' : code;
}

class UnusableRedis extends Error {
  readonly code: string;

  constructor(code: string) {
    super(`Redis cannot be used: ${code}.`);
    this.code = code;
  }
}

/** An error with a code of ours, for what a server's answers mean together. */
export function withCode(code: string): Error {
  return new UnusableRedis(code);
}

/** True where the server has answered, and the answer makes it useless. */
export function hasAnswered(error: unknown): boolean {
  return isRedisReply(error) || error instanceof UnusableRedis;
}
