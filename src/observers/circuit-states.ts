import type { ProviderObserver } from '../application/observers.ts';
import type { BreakerState } from '../application/operation-observer.ts';

/** Remembers the state of each provider's circuit. */
export interface CircuitStates {
  readonly observer: Pick<ProviderObserver, 'onCircuitChange'>;
  /** `closed` until an event says otherwise. */
  readonly circuitOf: (provider: string) => BreakerState;
}

/** Builds the memory, with every circuit closed. */
export function createCircuitStates(): CircuitStates {
  const states = new Map<string, BreakerState>();
  return {
    observer: { onCircuitChange: ({ provider, state }) => void states.set(provider, state) },
    circuitOf: (provider) => states.get(provider) ?? 'closed',
  };
}
