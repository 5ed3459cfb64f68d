import { type Evidence, isDefinite, type Signals } from '../evidence.ts';
import { TELEMETRY } from './cel-environment.ts';
import type { RequestSignals } from './request-signals.ts';
import type { ObjectType } from './signal-type.ts';
import type { TelemetryCustody } from './telemetry-signals.ts';

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
 * The values that conditions read, by place: the signals of each provider, custody, the request, and the
 * state of each provider. Null where they are absent; undefined where only the interpreter can read them.
 * Integers are numbers.
 */
export type EvidenceRow = readonly unknown[];

/** Where the values of a variable are in a row, and their types. */
export interface RowPlace {
  readonly place: number;
  readonly type: ObjectType;
}

/** The places of the variables of a policy. */
export interface RowLayout {
  /** By the name of a variable; `providers` is not one of them. */
  readonly variables: ReadonlyMap<string, RowPlace>;
  /** The place that `providers.<id>` reads, by the provider's id. */
  readonly states: ReadonlyMap<string, RowPlace>;
}

/** The layout of the rows of these providers, from the types of all variables. */
export function toRowLayout(
  providerIds: readonly string[],
  types: ReadonlyMap<string, ObjectType>,
): RowLayout {
  const states = types.get('providers')?.fields;
  const variables = new Map<string, RowPlace>();
  const stateOf = new Map<string, RowPlace>();
  [...providerIds, TELEMETRY, 'request'].forEach((name, place) => {
    const type = types.get(name);
    if (type !== undefined) variables.set(name, { place, type });
  });
  providerIds.forEach((id, index) => {
    const type = states?.get(id);
    if (type?.kind === 'object') stateOf.set(id, { place: statePlace(providerIds.length, index), type });
  });
  return { variables, states: stateOf };
}

/** The place of the state of the provider with this index. */
export function statePlace(providers: number, index: number): number {
  return providers + 2 + index;
}

/** The row of one decision. */
export function toEvidenceRow(
  evidence: readonly PolicyEvidence[],
  request: RequestSignals,
  custody: TelemetryCustody,
): EvidenceRow {
  const row: unknown[] = [];
  for (const piece of evidence) row.push(signalsOf(piece));
  row.push(typeof custody === 'object' ? custody : null);
  // Only the interpreter knows what an address that cannot be read makes of a condition.
  row.push('ipUnreadable' in request ? undefined : request);
  for (const piece of evidence) row.push(toState(piece));
  return row;
}
