import { type Evidence, isDefinite, type Signals } from '../evidence.ts';
import type { RequestSignals } from './request-signals.ts';
import type { ObjectType } from './signal-type.ts';
import type { FactRead, SubjectFacts } from './subject-fact.ts';

/**
 * The part of evidence that a policy can see. One entry for each provider, in the policy's provider order.
 */
export interface PolicyEvidence extends Pick<Evidence, 'outcome' | 'signals'> {
  /** The provider's `not_found` is in doubt; absent is false. */
  readonly suspect?: boolean;
}

/** Signals count only with a definite outcome, whatever a store returned. */
export function signalsOf({ outcome, signals }: PolicyEvidence): Signals | null {
  return isDefinite(outcome) ? signals : null;
}

/** What `providers.<id>` holds. */
export interface ProviderState {
  readonly outcome: string;
  readonly suspect: boolean;
}

/** The state of the provider that gave this evidence. */
export function toState({ outcome, suspect = false }: PolicyEvidence | ProviderState): ProviderState {
  return { outcome, suspect };
}

/**
 * The values that conditions read, by place: the signals of each provider, each fact that the policy reads,
 * the request, and the state of each provider. Null where they are absent; undefined where only the
 * interpreter can read them. Integers are numbers.
 */
export type EvidenceRow = readonly unknown[];

/** Where the values of a variable are in a row, and their types. */
export interface RowPlace {
  readonly place: number;
  readonly type: ObjectType;
}

/** The places of the variables of a policy. */
export interface RowLayout {
  /** By the name of a variable or of a fact; `providers` is not one of them. */
  readonly variables: ReadonlyMap<string, RowPlace>;
  /** The place that `providers.<id>` reads, by the provider's id. */
  readonly states: ReadonlyMap<string, RowPlace>;
}

/** The layout of the rows of these providers and facts, from the types of all variables. */
export function toRowLayout(
  providerIds: readonly string[],
  facts: readonly FactRead[],
  types: ReadonlyMap<string, ObjectType>,
): RowLayout {
  const states = types.get('providers')?.fields;
  const variables = new Map<string, RowPlace>();
  const stateOf = new Map<string, RowPlace>();
  const put = (name: string, place: number, type: ObjectType | undefined) => {
    if (type !== undefined) variables.set(name, { place, type });
  };
  providerIds.forEach((id, place) => {
    put(id, place, types.get(id));
  });
  facts.forEach(({ fact, type }, place) => {
    put(fact.name, providerIds.length + place, type);
  });
  const sources = providerIds.length + facts.length;
  put('request', sources, types.get('request'));
  providerIds.forEach((id, index) => {
    const type = states?.get(id);
    if (type?.kind === 'object') stateOf.set(id, { place: statePlace(sources, index), type });
  });
  return { variables, states: stateOf };
}

/** The place of the state of the provider with this index, where there are so many providers and facts. */
export function statePlace(sources: number, index: number): number {
  return sources + 1 + index;
}

/** The row of one decision. */
export function toEvidenceRow(
  reads: readonly FactRead[],
  evidence: readonly PolicyEvidence[],
  request: RequestSignals,
  facts: SubjectFacts,
): EvidenceRow {
  const row: unknown[] = [];
  for (const piece of evidence) row.push(signalsOf(piece));
  for (const { fact } of reads) {
    const value = facts[fact.name];
    row.push(typeof value === 'object' ? value : null);
  }
  // Only the interpreter knows what an address that cannot be read, or be found, makes of a condition.
  row.push('ipUnreadable' in request || 'placeLost' in request ? undefined : request);
  for (const piece of evidence) row.push(toState(piece));
  return row;
}
