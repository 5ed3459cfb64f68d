import type { DecisionObserver, ProviderObserver } from '../application/observers.ts';
import type { OperationObserver } from '../application/operation-observer.ts';

/** Everything that can be observed. */
export type Observer = DecisionObserver & ProviderObserver & OperationObserver;

/** One observer that passes each event to those of `observers` that handle it, in their order. */
export function observeAll(observers: readonly Partial<Observer>[]): Observer {
  return {
    onDecision: tellAll(observers.map(({ onDecision }) => onDecision)),
    onProviderCall: tellAll(observers.map(({ onProviderCall }) => onProviderCall)),
    onCircuitChange: tellAll(observers.map(({ onCircuitChange }) => onCircuitChange)),
    onSuspectChange: tellAll(observers.map(({ onSuspectChange }) => onSuspectChange)),
    onCustody: tellAll(observers.map(({ onCustody }) => onCustody)),
    onBatch: tellAll(observers.map(({ onBatch }) => onBatch)),
    onRefusal: tellAll(observers.map(({ onRefusal }) => onRefusal)),
    onUnreadableAddress: tellAll(observers.map(({ onUnreadableAddress }) => onUnreadableAddress)),
    onCandidateResult: tellAll(observers.map(({ onCandidateResult }) => onCandidateResult)),
    onPromotion: tellAll(observers.map(({ onPromotion }) => onPromotion)),
    onPromotionLook: tellAll(observers.map(({ onPromotionLook }) => onPromotionLook)),
    onSharedSignal: tellAll(observers.map(({ onSharedSignal }) => onSharedSignal)),
  };
}

function tellAll<Event>(
  listeners: readonly (((event: Event) => void) | undefined)[],
): (event: Event) => void {
  const present = listeners.filter((listener) => listener !== undefined);
  return (event) => {
    for (const listener of present) listener(event);
  };
}
