import type { ProviderAnswer } from '../../application/evidence/provider-answer.ts';
import { hardwareOf } from '../../domain/activity/evidence-names.ts';
import type { OtherNames, Signals } from '../../domain/evidence.ts';
import type { ProviderDefinition } from '../definition.ts';

/** A keyed hash of raw identifiers under a hash key that is known and not in force. */
export interface OtherHash {
  readonly keyId: string;
  readonly hash: (value: string) => string;
}

/** What reads one answer, with the hash of the key in force. */
type ReadWith = (hash: (value: string) => string) => ProviderAnswer;

/**
 * Reads an answer, and adds what its identifiers are called under the other hash keys: only while it is read
 * are they there. Those alone by which activity and lists know a subject. Raw values are gone when this returns.
 */
export function readWithOtherNames(
  definition: Pick<ProviderDefinition, 'id' | 'visitorOf'>,
  hash: (value: string) => string,
  others: readonly OtherHash[],
  read: ReadWith,
): ProviderAnswer {
  if (others.length === 0) return read(hash);
  const rawValues = new Map<string, string>();
  const answer = read((value) => {
    const hashed = hash(value);
    rawValues.set(hashed, value);
    return hashed;
  });
  if ('failure' in answer) return answer;
  const named = namesIn(definition, answer.signals).flatMap((name) => {
    const value = rawValues.get(name);
    return value === undefined
      ? []
      : [[name, Object.fromEntries(others.map((under) => [under.keyId, under.hash(value)]))] as const];
  });
  const otherNames: OtherNames = Object.fromEntries(named);
  return named.length === 0 ? answer : { ...answer, otherNames };
}

function namesIn(
  { id, visitorOf }: Pick<ProviderDefinition, 'id' | 'visitorOf'>,
  signals: Signals,
): readonly string[] {
  const visitor = visitorOf?.(signals) ?? null;
  return [...(visitor === null ? [] : [visitor]), ...hardwareOf(id, signals)];
}
