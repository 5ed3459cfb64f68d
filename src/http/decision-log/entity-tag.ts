import { hash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { DecisionLogReader } from '../../application/decision-log/decision-log.ts';
import { UnwantedError } from '../../platform/background-work.ts';

/**
 * A browser or dashboard may ask every second and show an answer that is a second old; shared caches must not
 * store it.
 */
const CACHE_CONTROL = 'private, max-age=1';

/** What nginx logs for it. */
const CLIENT_LEFT = 499;

interface TagOptions {
  readonly reader: Pick<DecisionLogReader, 'version'>;
  /** The version of riskgate: another one may write the same differently. */
  readonly engine: string;
  readonly newId: () => string;
}

/**
 * What was found. `version` is that of the log which it was found in, null where the log changed meanwhile;
 * absent where it was found just now.
 */
interface Found<Body> {
  readonly body: Body;
  readonly version?: string | null;
}

/**
 * Answers with what `read` finds, under a weak entity tag (RFC 9110, section 8.8.3:
 * the same in every content coding), or 304 without reading
 * when the client has it already. `of` says what was asked, in full. The tag is the version of the log, not a
 * digest of the answer: it costs a few reads however long the log is.
 */
export async function sendTagged<Body>(
  request: FastifyRequest,
  reply: FastifyReply,
  { reader, engine, newId }: TagOptions,
  of: readonly unknown[],
  read: () => Promise<Found<Body>>,
): Promise<FastifyReply> {
  const version = await reader.version();
  const tag = toTag(engine, version, of);
  if (holdsTag(request.headers['if-none-match'], tag))
    return reply.code(304).headers({ etag: tag, 'cache-control': CACHE_CONTROL }).send();
  const found = await read().catch((error: unknown) => {
    if (error instanceof UnwantedError) return null;
    throw error;
  });
  // Nobody reads it.
  if (found === null) return reply.code(CLIENT_LEFT).send();
  const { body, version: known } = found;
  const isSteady = known === undefined ? (await reader.version()) === version : known !== null;
  // An answer that was read while the log changed gets a tag that no other answer has.
  const etag = toTag(engine, isSteady ? (known ?? version) : newId(), of);
  return reply.headers({ etag, 'cache-control': CACHE_CONTROL }).send(body);
}

function toTag(engine: string, version: string, of: readonly unknown[]): string {
  return `W/"${hash('sha256', JSON.stringify([engine, version, ...of]), 'base64url').slice(0, 22)}"`;
}

/**
 * If-None-Match compares weakly (RFC 9110, section 13.1.2). `*` is ignored: the answer it spares is the one
 * that was asked for.
 */
function holdsTag(header: string | undefined, tag: string): boolean {
  return header?.split(',').some((held) => toOpaque(held.trim()) === toOpaque(tag)) ?? false;
}

function toOpaque(tag: string): string {
  return tag.replace(/^W\//, '');
}
