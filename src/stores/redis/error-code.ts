/** What a server says that will not serve anything at the moment: an answer, and yet as good as none. */
const NOT_SERVING: ReadonlySet<string> = new Set(['CLUSTERDOWN', 'LOADING', 'MASTERDOWN']);

/** True for an answer of the server that says no. Everything else means that no answer came. */
export function isRedisReply(error: unknown): error is Error {
  return error instanceof Error && error.name === 'ReplyError';
}

/** True for an answer by which the server refuses every command for a while. */
export function isNotServing(code: string): boolean {
  return NOT_SERVING.has(code);
}

/** A short code without any text of a caller: a reply's first word (`WRONGPASS`, `OOM`), which the Redis protocol defines as its error code, or the socket's code, or `no_answer` for ioredis's own timeouts and lost connections. */
export function redisErrorCode(error: unknown): string {
  if (isRedisReply(error)) return error.message.split(' ', 1)[0] ?? error.name;
  return error instanceof Error && 'code' in error && typeof error.code === 'string'
    ? error.code
    : 'no_answer';
}

/** An error with a code of ours, for what a server's answers mean together. */
export function withCode(code: string): Error {
  return Object.assign(new Error(`Redis cannot be used: ${code}.`), { code });
}
