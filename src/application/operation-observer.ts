import type { ErrorCode } from '../domain/errors.ts';
import type { CustodyResult } from '../domain/policy/telemetry-signals.ts';
import type { UnreadableAddress } from '../domain/subject.ts';

/** How a provider's circuit breaker stands. */
export const BREAKER_STATES = ['closed', 'half_open', 'open'] as const;
export type BreakerState = (typeof BREAKER_STATES)[number];

/** Told of what protects the service. Never a reason for anything to fail or wait, and never given an identifier. */
export interface OperationObserver {
  /** Custody of one telemetry id was examined. */
  onCustody(event: { readonly result: CustodyResult }): void;
  /** A request was refused with a problem document: by a limit, by overload, or for a mistake. */
  onRefusal(event: { readonly code: ErrorCode }): void;
  /** A gateway was to tell the end user's address and told none that can be read. */
  onUnreadableAddress(event: { readonly why: UnreadableAddress }): void;
}
