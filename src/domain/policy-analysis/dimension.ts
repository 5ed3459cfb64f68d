import type { Outcome, Signals } from '../evidence.ts';
import type { SoftValue } from '../policy/subject-fact.ts';

/** A signal that the evidence lacks. */
export const ABSENT = Symbol('absent');
/** Any value that is not among the others: what a rule makes of it is not known. */
export const ANYTHING = Symbol('anything');
/** An address that cannot be read, or whose place could not be looked up. */
export const UNREADABLE = Symbol('unreadable');

/** True for a SoftValue among the values of a dimension. */
export function isSoft(value: unknown): value is SoftValue {
  return typeof value === 'object' && value !== null && 'softness' in value;
}

/** How a provider's call ended. */
export interface ProviderValue {
  readonly outcome: Outcome;
  readonly suspect: boolean;
}

/**
 * One thing that rules can tell apart, with the values that stand for all there are: how a provider ended,
 * whether a fact is known, or one signal of either or of the request.
 */
export interface Dimension {
  /** `stytch`, `stytch.action`, `telemetry`, `request.action`. */
  readonly name: string;
  readonly kind: 'provider' | 'fact' | 'signal';
  /** The provider, the fact, or `request`. */
  readonly source: string;
  /** Of a signal, the names within the source. */
  readonly path: readonly string[];
  readonly values: readonly unknown[];
  /** The dimension on which the source is there or not; -1 where it always is. */
  readonly parent: number;
  /** True for a signal that the client chooses. */
  readonly isClient: boolean;
}

/** All dimensions of some policies. */
export interface Space {
  readonly dimensions: readonly Dimension[];
  /** Their places, by name. */
  readonly places: ReadonlyMap<string, number>;
  readonly providers: ReadonlyMap<string, AnalysedProvider>;
  /** What its values do not stand for, in words. */
  readonly limits: readonly string[];
}

/** What the analysis knows of a provider. */
export interface AnalysedProvider {
  readonly id: string;
  /** The part of the subject that it is asked about. */
  readonly subject: string;
  /** What it says of an id that it does not know. */
  readonly notFoundSignals: Signals;
  /** What it says of an id that it knows and cannot read; null where it reads all. */
  readonly unsupportedSignals: Signals | null;
}

/** True where a value leaves the source of its dimension with signals. */
export function hasSignals({ kind }: Dimension, value: unknown): boolean {
  if (kind === 'fact') return value === 'known';
  return (value as ProviderValue).outcome === 'ok';
}
