import {
  BREAKER_STATES,
  type BreakerState,
  PROMOTION_LOOKS,
  SHARED_SIGNAL_RESULTS,
} from '../application/operation-observer.ts';
import { NOT_JUDGED } from '../domain/candidates/candidate-result.ts';
import { ERROR_CODES } from '../domain/errors.ts';
import { OUTCOMES } from '../domain/evidence.ts';
import { CUSTODY_RESULTS } from '../domain/policy/telemetry-signals.ts';
import { PROMOTION_CHANGES } from '../domain/promotion/promotion-change.ts';
import { UNREADABLE_ADDRESSES } from '../domain/subject.ts';
import { VERDICTS } from '../domain/verdict.ts';
import type { CounterSeries, MetricLabels, Metrics } from '../platform/metrics.ts';
import type { Observer } from './fan-out.ts';

/** A warm decision takes about 0.1 ms, one that asks the providers 20 ms to the deadline of at most 10 s. */
const DECISION_BOUNDS = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
] as const;
/** A round trip to an upstream, and no more than the longest timeout. */
const CALL_BOUNDS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] as const;

/**
 * Counts and times what is observed. Every label value comes from a list that is closed when the service
 * starts: `providers` are the ids of those that are enabled.
 */
export function createMetricsObserver(metrics: Metrics, providers: readonly string[]): Observer {
  return {
    onDecision: observeDecisions(metrics),
    onProviderCall: observeProviderCalls(metrics, providers),
    ...observeProviderStates(metrics, providers),
    ...observeOperations(metrics),
    ...observePromotions(metrics),
    ...observeSharedSignals(metrics),
  };
}

function observeDecisions(metrics: Metrics): Observer['onDecision'] {
  const count = metrics.counter(
    'riskgate_decisions_total',
    'Decisions answered, by what was decided and by whether needed evidence was missing.',
  );
  const sound = bindEach(VERDICTS, (decision) => count({ decision, degraded: 'false' }));
  const degraded = bindEach(VERDICTS, (decision) => count({ decision, degraded: 'true' }));
  const seconds = metrics.histogram(
    'riskgate_decision_seconds',
    'Time from a checked request to its decision.',
    DECISION_BOUNDS,
  )({});
  return ({ decision }) => {
    (decision.degraded ? degraded : sound)[decision.verdict].value += 1;
    seconds.observe(decision.latencyMs / 1000);
  };
}

function observeProviderCalls(metrics: Metrics, providers: readonly string[]): Observer['onProviderCall'] {
  const count = metrics.counter('riskgate_provider_calls_total', 'Calls to providers, by how they ended.');
  const time = metrics.histogram(
    'riskgate_provider_call_seconds',
    'Time of the calls that were sent, with their retry.',
    CALL_BOUNDS,
  );
  const calls = new Map(
    providers.map((provider) => [
      provider,
      {
        outcomes: bindEach(OUTCOMES, (outcome) => count({ provider, outcome })),
        seconds: time({ provider }),
      },
    ]),
  );
  return ({ provider, outcome, latencyMs, attempts }) => {
    const call = calls.get(provider);
    if (call === undefined) return;
    call.outcomes[outcome].value += 1;
    // A call that was not sent (open circuit, malformed id) would make the upstream look faster.
    if (attempts > 0) call.seconds.observe(latencyMs / 1000);
  };
}

function observeProviderStates(
  metrics: Metrics,
  providers: readonly string[],
): Pick<Observer, 'onCircuitChange' | 'onSuspectChange'> {
  const breakers = new Map<string, BreakerState>(providers.map((provider) => [provider, 'closed']));
  const suspects = new Map<string, boolean>(providers.map((provider) => [provider, false]));
  metrics.sampled(
    'gauge',
    'riskgate_provider_breaker_state',
    '1 for the state in which the circuit breaker of a provider is.',
    () => [...breakers].flatMap(([provider, state]) => toStateSamples(BREAKER_STATES, state, { provider })),
  );
  metrics.sampled(
    'gauge',
    'riskgate_provider_suspect',
    '1 while a provider says not_found too often to be believed.',
    () => [...suspects].map(([provider, isSuspect]) => ({ labels: { provider }, value: isSuspect ? 1 : 0 })),
  );
  return {
    onCircuitChange: ({ provider, state }) => {
      if (breakers.has(provider)) breakers.set(provider, state);
    },
    onSuspectChange: ({ provider, isSuspect }) => {
      if (suspects.has(provider)) suspects.set(provider, isSuspect);
    },
  };
}

function observePromotions(metrics: Metrics): Pick<Observer, 'onPromotion' | 'onPromotionLook'> {
  const promotion = metrics.counter(
    'riskgate_promotions_total',
    'What happened to promotions of policies, each counted by the process that did it: asked for, or by itself.',
  );
  const look = metrics.counter(
    'riskgate_promotion_looks_total',
    'Looks at the promotion under way: its decisions were counted, or could not be.',
  );
  const asked = bindEach(PROMOTION_CHANGES, (change) => promotion({ change, by: 'caller' }));
  const unasked = bindEach(PROMOTION_CHANGES, (change) => promotion({ change, by: 'riskgate' }));
  const looks = bindEach(PROMOTION_LOOKS, (result) => look({ result }));
  return {
    onPromotion: ({ change, by }) => {
      (by === null ? unasked : asked)[change].value += 1;
    },
    onPromotionLook: ({ result }) => {
      looks[result].value += 1;
    },
  };
}

function observeSharedSignals(metrics: Metrics): Pick<Observer, 'onSharedSignal'> {
  const signal = metrics.counter(
    'riskgate_shared_signals_total',
    'Security event tokens received, by what became of them.',
  );
  const receptions = bindEach(SHARED_SIGNAL_RESULTS, (result) => signal({ result }));
  return {
    onSharedSignal: ({ result }) => {
      receptions[result].value += 1;
    },
  };
}

function observeOperations(
  metrics: Metrics,
): Pick<Observer, 'onBatch' | 'onCustody' | 'onRefusal' | 'onUnreadableAddress' | 'onCandidateResult'> {
  const custody = metrics.counter(
    'riskgate_custody_results_total',
    'Telemetry ids examined, by what custody found.',
  );
  const refusal = metrics.counter(
    'riskgate_refusals_total',
    'Requests and items of batches answered with a problem document, by its code.',
  );
  const batches = metrics.counter('riskgate_batches_total', 'Batches of decisions answered.')({});
  const item = metrics.counter(
    'riskgate_batch_items_total',
    'Items of batches, by whether they were decided or refused with a problem document of their own.',
  );
  const items = bindEach(['decided', 'refused'], (result) => item({ result }));
  const unreadable = metrics.counter(
    'riskgate_unreadable_addresses_total',
    "Questions of gateways whose field for the end user's address is missing, repeated or malformed.",
  );
  const candidate = metrics.counter(
    'riskgate_candidate_results_total',
    'What candidates came to for decisions: judged, or why they did not judge.',
  );
  const judged = bindEach(['judged', ...NOT_JUDGED] as const, (result) => candidate({ result }));
  const whys = bindEach(UNREADABLE_ADDRESSES, (why) => unreadable({ why }));
  const results = bindEach(CUSTODY_RESULTS, (result) => custody({ result }));
  const codes = bindEach(ERROR_CODES, (code) => refusal({ code }));
  return {
    onBatch: ({ items: all, refused }) => {
      batches.value += 1;
      items.decided.value += all - refused;
      items.refused.value += refused;
    },
    onCustody: ({ result }) => {
      results[result].value += 1;
    },
    onRefusal: ({ code }) => {
      codes[code].value += 1;
    },
    onUnreadableAddress: ({ why }) => {
      whys[why].value += 1;
    },
    onCandidateResult: ({ result }) => {
      judged[result].value += 1;
    },
  };
}

/** One sample for each state of a closed list: 1 for the one that holds, 0 for the others. */
export function toStateSamples<State extends string>(
  states: readonly State[],
  current: State,
  labels: MetricLabels,
) {
  return states.map((state) => ({ labels: { ...labels, state }, value: state === current ? 1 : 0 }));
}

function bindEach<Name extends string>(
  names: readonly Name[],
  bind: (name: Name) => CounterSeries,
): Readonly<Record<Name, CounterSeries>> {
  // `Object.fromEntries` forgets that every name of the list is a key.
  return Object.fromEntries(names.map((name) => [name, bind(name)])) as Record<Name, CounterSeries>;
}
