import type { NotJudged } from '../domain/candidates/candidate-result.ts';
import type { ErrorCode } from '../domain/errors.ts';
import type { CustodyResult } from '../domain/policy/telemetry-signals.ts';
import type { PromotionChange } from '../domain/promotion/promotion-change.ts';
import type { UnreadableAddress } from '../domain/subject.ts';

/** The state of a provider's circuit breaker. */
export const BREAKER_STATES = ['closed', 'half_open', 'open'] as const;

/** One state of a circuit breaker. */
export type BreakerState = (typeof BREAKER_STATES)[number];

/** Observes the protections of the service. It must not throw or block, and never gets an identifier. */
export interface OperationObserver {
  /** The custody of one telemetry id was read. */
  onCustody(event: { readonly result: CustodyResult }): void;
  /** A batch was answered: its items, and how many of them were refused. */
  onBatch(event: { readonly items: number; readonly refused: number }): void;
  /** A request, or an item of a batch, was refused with a problem document. */
  onRefusal(event: { readonly code: ErrorCode }): void;
  /** A gateway should send the end user's address, and sent none that can be read. */
  onUnreadableAddress(event: { readonly why: UnreadableAddress }): void;
  /** What one candidate came to for one decision: it judged, or why it did not. */
  onCandidateResult(event: { readonly result: 'judged' | NotJudged }): void;
  /** A promotion was refused, got on, or was taken back, by this process; `by` is null where nobody asked for it. */
  onPromotion(event: { readonly change: PromotionChange; readonly by: object | null }): void;
  /** A promotion under way was looked at: its decisions were counted, or could not be. */
  onPromotionLook(event: { readonly result: PromotionLook }): void;
  /** A security event token was received, and taken or not. */
  onSharedSignal(event: { readonly result: SharedSignalResult }): void;
}

/** What a look at a promotion can come to. */
export const PROMOTION_LOOKS = ['counted', 'failed'] as const;

/** One of them. */
type PromotionLook = (typeof PROMOTION_LOOKS)[number];

/** What became of a security event token: those after the first four are refusals (RFC 8935). */
export const SHARED_SIGNAL_RESULTS = [
  ...(['taken', 'known', 'nothing', 'later'] as const),
  ...([
    'invalid_request',
    'invalid_key',
    'invalid_issuer',
    'invalid_audience',
    'authentication_failed',
  ] as const),
] as const;

/** One of them. */
type SharedSignalResult = (typeof SHARED_SIGNAL_RESULTS)[number];
