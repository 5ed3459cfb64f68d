import {
  type Evidence,
  type OtherNames,
  OUTCOMES,
  type Outcome,
  type Signals,
} from '../../domain/evidence.ts';
import { isObject, parseObject } from '../redis/json-object.ts';
import { isKeyOf } from '../redis/keys.ts';
import { isSettled } from './remaining-life.ts';

/** What stands in the place of purged evidence. Not JSON, so that it can never be read as evidence. */
export const TOMBSTONE = 'purged';

/**
 * What stands where evidence will be while a replica asks for it. Not JSON either; a random id of the replica
 * follows, and the number of its claim.
 */
export const CLAIM_PREFIX = 'asked-by:';

/** What all claims of one replica begin with. */
export function claimsOf(replica: string): string {
  return `${CLAIM_PREFIX}${replica}:`;
}

/** True where the text is a claim. */
export function isClaim(text: string): boolean {
  return text.startsWith(CLAIM_PREFIX);
}

/**
 * Signals are two levels deep; the rest is room to grow, and keeps a hostile value from exhausting the stack.
 */
const SIGNAL_DEPTH_MAX = 6;

/** The text that is stored for evidence. */
export function encodeEvidence(evidence: Evidence): string {
  return JSON.stringify(evidence);
}

/**
 * Reads a stored text that is trusted no further than its shape: null unless it is complete, settled evidence
 * of the provider that the key names. Whether it has expired is not looked at. Never throws.
 */
export function decodeEvidence(text: string, storeKey: string): Evidence | null {
  const value = parseObject(text);
  if (value === null) return null;
  const { provider, outcome, signals, observedAtMs, expiresAtMs, upstreamRequestId } = value;
  if (typeof provider !== 'string' || !isKeyOf(provider, storeKey)) return null;
  if (!isOutcome(outcome) || !isSettled(outcome) || !isSignals(signals)) return null;
  if (!isFiniteNumber(observedAtMs) || !isFiniteNumber(expiresAtMs)) return null;
  if (upstreamRequestId !== null && typeof upstreamRequestId !== 'string') return null;
  const evidence = { provider, outcome, signals, observedAtMs, expiresAtMs, upstreamRequestId };
  const { otherNames } = value;
  if (otherNames === undefined) return evidence;
  return isOtherNames(otherNames) ? { ...evidence, otherNames } : null;
}

const KNOWN_OUTCOMES: ReadonlySet<unknown> = new Set(OUTCOMES);

function isOutcome(value: unknown): value is Outcome {
  return KNOWN_OUTCOMES.has(value);
}

function isSignals(value: unknown): value is Signals {
  return isObject(value) && typeof value['found'] === 'boolean' && isSignalValue(value, SIGNAL_DEPTH_MAX);
}

function isSignalValue(value: unknown, depthLeft: number): boolean {
  if (typeof value === 'boolean' || typeof value === 'string' || isFiniteNumber(value)) return true;
  if (Array.isArray(value)) return value.every((item) => typeof item === 'string');
  if (!isObject(value) || depthLeft === 0) return false;
  // JSON.parse makes `__proto__` an own property; whoever copies the object later might not.
  return Object.keys(value).every(
    (name) => name !== '__proto__' && isSignalValue(value[name], depthLeft - 1),
  );
}

const HASH = /^[0-9a-f]{32}$/;

function isOtherNames(value: unknown): value is OtherNames {
  return isRecordOf(value, (names) => isRecordOf(names, (name) => HASH.test(String(name))));
}

function isRecordOf(value: unknown, isMember: (member: unknown) => boolean): boolean {
  return isObject(value) && Object.keys(value).every((name) => name !== '__proto__' && isMember(value[name]));
}

function isFiniteNumber(value: unknown): value is number {
  return Number.isFinite(value);
}
