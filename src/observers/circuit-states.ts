import type { BreakerState } from '../application/operation-observer.ts';
import type { ProviderObserver } from '../application/ports.ts';

/** Remembers how each provider's circuit stands. */
interface CircuitStates {
  readonly observer: Pick<ProviderObserver, 'onCircuitChange'>;
  /** `closed` as long as nothing else was heard. */
  readonly circuitOf: (provider: string) => BreakerState;
}

/** Begins with every circuit closed. */
export function createCircuitStates(): CircuitStates {
  const states = new Map<string, BreakerState>();
  return {
    observer: { onCircuitChange: ({ provider, state }) => void states.set(provider, state) },
    circuitOf: (provider) => states.get(provider) ?? 'closed',
  };
}
