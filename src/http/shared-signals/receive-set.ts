import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import type { Clock } from '../../application/clock.ts';
import type { OperationObserver } from '../../application/operation-observer.ts';
import type { TakeSignals } from '../../application/shared-signals/take-signals.ts';
import { RiskgateError } from '../../domain/errors.ts';
import { readClaims } from '../../domain/shared-signals/read-claims.ts';
import type { RefusedSet } from './set-errors.ts';
import { type VerifiedSet, verifySet } from './verify-set.ts';

/** A stream that tokens are taken from. */
export interface SharedSignalStream {
  readonly name: string;
  readonly trust: Parameters<typeof verifySet>[1];
}

/** A token as it came. */
interface ReceivedSet {
  readonly token: string;
  /** The id of the API key; null where it was polled for. */
  readonly caller: string | null;
  readonly requestId: string | null;
}

/**
 * What became of a token. `taken`: it counts. `known`: it was taken before. `nothing`: it tells of nothing that
 * is read here. `later`: it has to be told again.
 */
type Reception = { readonly kind: 'taken' | 'known' | 'nothing' | 'later' } | RefusedSet;

/** Receives a token of a stream. Never rejects. */
export type ReceiveSet = (stream: SharedSignalStream, received: ReceivedSet) => Promise<Reception>;

interface ReceiveSetOptions {
  readonly take: TakeSignals;
  readonly clock: Clock;
  readonly observer: Pick<OperationObserver, 'onSharedSignal'>;
  readonly logger: Logger;
}

/** Tokens that are known to be done: telling them again costs a look, and not the work. */
const KNOWN_MAX = 20_000;

/** Builds what receives tokens, by push and by poll alike. */
export function createReceiveSet(options: ReceiveSetOptions): ReceiveSet {
  const { observer, logger } = options;
  const known = new LRUCache<string, true>({ max: KNOWN_MAX });
  return async (stream, received) => {
    const reception = await receive(stream, received, options, known);
    observer.onSharedSignal({ result: reception.kind === 'refused' ? reception.err : reception.kind });
    if (reception.kind === 'refused')
      logger.warn(
        {
          event: 'shared_signals.refused',
          stream: stream.name,
          err: reception.err,
          why: reception.description,
        },
        'a security event token was refused',
      );
    return reception;
  };
}

async function receive(
  { name, trust }: SharedSignalStream,
  { token, caller, requestId }: ReceivedSet,
  { take, clock, logger }: ReceiveSetOptions,
  known: LRUCache<string, true>,
): Promise<Reception> {
  const verified: VerifiedSet = await verifySet(token, trust, clock.nowMs());
  if (verified.kind !== 'verified') return verified;
  const key = `${name} ${verified.jti}`;
  if (known.has(key)) return { kind: 'known' };
  const read = readClaims(verified.claims, clock.nowMs());
  if (read.kind === 'wrong') return { kind: 'refused', err: 'invalid_request', description: read.detail };
  try {
    const isTaken =
      read.kind === 'signals' && (await take(read.signals, { stream: name, caller, requestId }));
    known.set(key, true);
    if (read.kind === 'nothing') return { kind: 'nothing' };
    return { kind: isTaken ? 'taken' : 'known' };
  } catch (error) {
    const code = error instanceof RiskgateError ? error.code : 'internal';
    const line = { event: 'shared_signals.not_taken', stream: name, code };
    // What is no refusal of ours is a defect: its stack is needed.
    if (code === 'internal') logger.error({ ...line, err: error }, 'a security event token was not taken');
    else logger.error(line, 'a security event token was not taken');
    return { kind: 'later' };
  }
}
