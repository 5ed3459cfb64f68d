import type { Logger } from 'pino';
import type { ProviderObserver } from '../application/observers.ts';

const SUSPECT = 'a provider no longer finds any id: check our base URL, key and environment';

/**
 * One line for each provider call that did not settle, and one for each change of a provider's state. None
 * holds an identifier.
 */
export function createLogObserver(logger: Logger): ProviderObserver {
  return {
    onProviderCall: ({ provider, outcome, failure, latencyMs, attempts }) => {
      // A circuit is logged when it opens, not once for each call that it refuses.
      if (failure === null || outcome === 'circuit_open') return;
      const latency = Math.round(latencyMs * 100) / 100;
      logger.warn({ event: 'provider.failed', provider, outcome, failure, attempts, latency_ms: latency });
    },
    onCircuitChange: ({ provider, state }) => {
      const line = { event: 'provider.circuit', provider, state };
      if (state === 'open') logger.warn(line, 'a provider fails; it is not called until a probe succeeds');
      else logger.info(line);
    },
    onSuspectChange: ({ provider, isSuspect, cause, samples, notFound }) => {
      const fields = { provider, cause, samples, not_found: notFound };
      if (isSuspect) logger.error({ event: 'provider.suspect', ...fields }, SUSPECT);
      else logger.info({ event: 'provider.trusted', ...fields });
    },
  };
}
