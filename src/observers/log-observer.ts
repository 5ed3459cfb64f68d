import type { Logger } from 'pino';
import type { DecisionObserver, ProviderObserver } from '../application/observers.ts';
import { toCustodyResult } from '../domain/policy/telemetry-signals.ts';

const SUSPECT = 'a provider no longer finds any id: check our base URL, key and environment';

/**
 * One short line per decision, one for each provider call that did not settle, and one for each change of a
 * provider's state. None holds an identifier.
 */
export function createLogObserver(logger: Logger): DecisionObserver & ProviderObserver {
  return {
    onDecision: ({ decision, caller, requestId, action }) => {
      const providerOutcomes: Record<string, string> = {};
      for (const { provider, outcome } of decision.evidence) providerOutcomes[provider] = outcome;
      const suspect = decision.evidence.filter((use) => use.suspect).map(({ provider }) => provider);
      logger.info({
        event: 'decision.made',
        decision_id: decision.id,
        request_id: requestId,
        caller,
        action,
        decision: decision.verdict,
        reason_codes: decision.reasons.map(({ code }) => code),
        degraded: decision.degraded,
        provider_outcomes: providerOutcomes,
        ...(suspect.length > 0 && { provider_suspect: suspect }),
        custody_result: toCustodyResult(decision.custody),
        policy_hash: decision.policy.hash,
        latency_ms: Math.round(decision.latencyMs * 100) / 100,
      });
    },
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
