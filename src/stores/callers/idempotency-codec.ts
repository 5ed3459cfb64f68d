import type { ClaimedRequest, StoredAnswer } from '../../application/callers/idempotency-store.ts';
import { isObject, parseObject } from '../redis/json-object.ts';

/** What stands under a key: a claim, or an answer. */
interface IdempotencyEntry {
  readonly fingerprint: string;
  /** Null while the request is in flight. */
  readonly answer: StoredAnswer | null;
}

/** What can stand in a header field, as it will. */
const DECISION_ID = /^[\w-]{1,64}$/;

/** The text of a claim. It names its owner, so that no other request gives it up. */
export function encodeClaim({ fingerprint, owner }: ClaimedRequest): string {
  return JSON.stringify({ fingerprint, owner });
}

/** The text of a kept answer. */
export function encodeAnswer({ fingerprint }: ClaimedRequest, answer: StoredAnswer): string {
  return JSON.stringify({ fingerprint, answer });
}

/**
 * Reads a stored text that is trusted no further than its shape: null unless it is a whole entry. Never
 * throws.
 */
export function decodeEntry(text: string): IdempotencyEntry | null {
  const { fingerprint, answer, owner } = parseObject(text) ?? {};
  if (typeof fingerprint !== 'string') return null;
  if (answer === undefined) return typeof owner === 'string' ? { fingerprint, answer: null } : null;
  if (!isObject(answer)) return null;
  const { decisionId, body } = answer;
  if (typeof decisionId !== 'string' || !DECISION_ID.test(decisionId) || typeof body !== 'string')
    return null;
  return { fingerprint, answer: { decisionId, body } };
}
