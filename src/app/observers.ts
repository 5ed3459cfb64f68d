import type { ALERT_STATES } from '../domain/alerts/alert-state.ts';
import type { MetricsSource } from '../http/routes/metrics.ts';
import { measureCallers } from '../observers/caller-metrics.ts';
import { type CircuitStates, createCircuitStates } from '../observers/circuit-states.ts';
import { createDecisionLine } from '../observers/decision-line.ts';
import { type Observer, observeAll } from '../observers/fan-out.ts';
import { createLogObserver } from '../observers/log-observer.ts';
import { measureService } from '../observers/service-metrics.ts';
import type { AppContext } from './context.ts';
import type { DecisionLog } from './decision-log.ts';
import type { FilesInForce } from './open-policies.ts';
import type { RedisInUse } from './redis.ts';
import type { Stores } from './stores.ts';
import type { Webhooks } from './webhooks.ts';

/** What is told of decisions, providers and operations, and what can be read of it. */
export interface Observers {
  /** Tells all of them. */
  readonly observer: Observer;
  readonly circuitOf: CircuitStates['circuitOf'];
  /** Null where nothing is measured. */
  readonly metrics: MetricsSource | null;
  /** Those that name callers; null likewise. */
  readonly callerMetrics: MetricsSource | null;
  /** Ends the measuring. */
  close(): void;
}

/** What a scrape reads beside what observers were told. */
interface Measured {
  readonly files: FilesInForce;
  readonly redis: RedisInUse;
  readonly stores: Stores;
  readonly log: DecisionLog | null;
  readonly webhooks: Webhooks;
  readonly alerting: { states(): readonly (typeof ALERT_STATES)[number][] };
}

/** The log lines, the metrics and the circuits. */
export function createObservers({ config, version, logger }: AppContext, parts: Measured): Observers {
  const { files, redis, stores, log, webhooks } = parts;
  const enabled = config.providers.filter(({ isEnabled }) => isEnabled).map(({ id }) => id);
  const state = {
    version,
    policy: files.policy,
    policyStatus: files.policyStatus,
    promotionState: files.promotionState,
    candidates: files.candidates,
    redisState: redis.state,
    storeUsage: () => stores.evidence.usage(),
    memoryLosses: stores.losses,
    files: files.statuses,
    logUsage: () => log?.usage() ?? [],
    webhookUsage: webhooks.usage,
    alertStates: parts.alerting.states,
    lists: () => stores.lists.knowledge(),
  };
  const measured = config.isMeasured ? measureService(enabled, state) : null;
  const circuits = createCircuitStates();
  const observers: Partial<Observer>[] = [createLogObserver(logger), circuits.observer];
  if (measured !== null) observers.push(measured.observer);
  if (log === null || config.isDecisionLineWritten) observers.push(createDecisionLine(logger));
  return {
    observer: observeAll(observers),
    circuitOf: circuits.circuitOf,
    metrics: measured?.metrics ?? null,
    callerMetrics: measured && measureCallers(() => files.keyring().uses()),
    close: () => measured?.close(),
  };
}
