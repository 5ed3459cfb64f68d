import type { Decision } from '../domain/decision.ts';
import type { Evidence } from '../domain/evidence.ts';
import type { BreakerState } from './operation-observer.ts';

/**
 * One call to a provider, including its retry, for metrics and logs. A call that riskgate did not send has 0
 * attempts: `circuit_open`, or the failures `bulkhead_full` and `queue_timeout`.
 */
export interface ProviderCallEvent {
  readonly provider: string;
  readonly outcome: Evidence['outcome'];
  /** See FailedAnswer; null when the outcome is settled. */
  readonly failure: string | null;
  readonly latencyMs: number;
  readonly attempts: number;
}

/**
 * The circuit of a provider has changed: `open` refuses calls, `half_open` tries one call. It starts
 * `closed`, without an event.
 */
interface CircuitEvent {
  readonly provider: string;
  readonly state: BreakerState;
}

/** A provider has become suspect, or is no longer. */
export interface SuspectEvent {
  readonly provider: string;
  readonly isSuspect: boolean;
  /**
   * `known_ids_not_found`: it no longer finds ids that it knew. `nothing_ever_found`: it has not found any id
   * since the start. `found_again`, `quiet`: why the suspicion ended.
   */
  readonly cause: 'known_ids_not_found' | 'nothing_ever_found' | 'found_again' | 'quiet';
  /** The number of recent calls that were counted, and how many of them were not found. */
  readonly samples: number;
  readonly notFound: number;
}

/** Observes provider calls. It must not throw or block. */
export interface ProviderObserver {
  onProviderCall(event: ProviderCallEvent): void;
  onCircuitChange(event: CircuitEvent): void;
  onSuspectChange(event: SuspectEvent): void;
}

/** A decision as it was answered. */
export interface DecisionEvent {
  readonly decision: Decision;
  /** The id of the API key or of the gateway, never the key. */
  readonly caller: string;
  readonly requestId: string;
  readonly action: string | null;
}

/** Observes every decision that is answered. It must not throw or block. */
export interface DecisionObserver {
  onDecision(event: DecisionEvent): void;
}
