import type { DeliveryUsage } from '../application/decision-log/decision-log.ts';
import { LIST_KNOWLEDGE, type ListKnowledge } from '../application/lists/list-store.ts';
import { POLICY_STATES, type PolicyStatus } from '../application/policy-in-force/policy-in-force.ts';
import { PROMOTION_STATES, type PromotionState } from '../application/promotion/promotion-state.ts';
import { ALERT_STATES } from '../domain/alerts/alert-state.ts';
import { createMetrics, type Metrics } from '../platform/metrics.ts';
import { addProcessMetrics } from '../platform/process-metrics.ts';
import { WEBHOOK_RESULTS, type WebhookUsage } from '../platform/webhooks/webhook-sender.ts';
import type { StoreUsage } from '../stores/evidence/closable-evidence-store.ts';
import type { Observer } from './fan-out.ts';
import { createMetricsObserver, toStateSamples } from './metrics-observer.ts';

/** The sources that a scrape reads the current state from. */
interface ServiceState {
  readonly version: string;
  readonly policy: () => PolicyName;
  readonly policyStatus: () => Pick<PolicyStatus, 'state' | 'fileDiffers'>;
  readonly promotionState: () => PromotionState;
  /** Policies that judge beside it. */
  readonly candidates: () => readonly PolicyName[];
  readonly redisState: () => RedisState;
  readonly storeUsage: () => readonly StoreUsage[];
  /** One entry for each memory of decisions in Redis. */
  readonly memoryLosses: () => readonly { readonly memory: string; readonly count: number }[];
  /** One entry for each file that is followed. */
  readonly files: () => readonly FileState[];
  /** One entry for each sink of the decision log. */
  readonly logUsage: () => readonly DeliveryUsage[];
  /** How well this process knows the lists. */
  readonly lists: () => ListKnowledge;
  /** One entry for each target of webhooks. */
  readonly webhookUsage: () => readonly WebhookUsage[];
  /** Of each alert. */
  readonly alertStates: () => readonly (typeof ALERT_STATES)[number][];
}

interface PolicyName {
  readonly id: string;
  readonly hash: string;
}

/** A file that is followed, by what it holds. */
interface FileState {
  readonly file: string;
  readonly isCurrent: boolean;
  /** Unix milliseconds. */
  readonly loadedAtMs: number;
  /** Unix milliseconds; null when its latest change was taken. */
  readonly refusedAtMs: number | null;
}

const REDIS_STATES = ['up', 'down', 'absent'] as const;
type RedisState = (typeof REDIS_STATES)[number];

/** All metrics of one service. */
interface ServiceMetrics {
  readonly metrics: Metrics;
  readonly observer: Observer;
  /** Ends the measurement of the event loop. */
  close(): void;
}

/** Begins to measure. `providers` are the ids of those that are enabled. */
export function measureService(providers: readonly string[], state: ServiceState): ServiceMetrics {
  const metrics = createMetrics();
  const observer = createMetricsObserver(metrics, providers);
  addStateMetrics(metrics, state);
  addMemoryMetrics(metrics, state);
  addFileMetrics(metrics, state.files);
  addPolicyFileMetrics(metrics, state);
  addLogMetrics(metrics, state.logUsage);
  addWebhookMetrics(metrics, state.webhookUsage);
  return { metrics, observer, close: addProcessMetrics(metrics, 'riskgate') };
}

/** Adds the metrics that are only read at a scrape: versions and states. */
function addStateMetrics(metrics: Metrics, state: ServiceState): void {
  metrics.sampled('gauge', 'riskgate_build_info', '1, with the version that runs.', () => [
    { labels: { version: state.version }, value: 1 },
  ]);
  metrics.sampled('gauge', 'riskgate_policy_info', '1, with the policy in force and its hash.', () => {
    const { id, hash } = state.policy();
    return [{ labels: { policy: id, hash }, value: 1 }];
  });
  metrics.sampled('gauge', 'riskgate_candidate_info', '1, with each candidate and its hash.', () =>
    [...new Map(state.candidates().map((each) => [each.hash, each])).values()].map(({ id, hash }) => ({
      labels: { policy: id, hash },
      value: 1,
    })),
  );
  metrics.sampled('gauge', 'riskgate_redis_state', '1 for the state in which Redis is.', () =>
    toStateSamples(REDIS_STATES, state.redisState(), {}),
  );
  metrics.sampled('gauge', 'riskgate_alerts', 'Alerts of the alerts file, by how they are.', () =>
    ALERT_STATES.map((name) => ({
      labels: { state: name },
      value: state.alertStates().filter((each) => each === name).length,
    })),
  );
  metrics.sampled('gauge', 'riskgate_lists_state', '1 for how well this process knows the lists.', () =>
    toStateSamples(LIST_KNOWLEDGE, state.lists(), {}),
  );
}

/** Adds what is counted of the cache, and of what decisions remember in Redis. */
function addMemoryMetrics(metrics: Metrics, state: Pick<ServiceState, 'storeUsage' | 'memoryLosses'>): void {
  metrics.sampled(
    'counter',
    'riskgate_cache_reads_total',
    'Reads of a cache level, by result; skipped ones found Redis left alone, and count as misses for the caller.',
    () =>
      state
        .storeUsage()
        .flatMap(({ level, hits, misses, skipped, failures }) => [
          { labels: { level, result: 'hit' }, value: hits },
          { labels: { level, result: 'miss' }, value: misses },
          ...(failures === null ? [] : [{ labels: { level, result: 'skipped' }, value: skipped }]),
        ]),
  );
  metrics.sampled(
    'counter',
    'riskgate_redis_failures_total',
    'Commands to Redis that were late, lost with the connection, or refused.',
    () =>
      state.storeUsage().flatMap(({ failures }) =>
        failures === null
          ? []
          : [
              { labels: { kind: 'timeout' }, value: failures.timeouts },
              { labels: { kind: 'lost' }, value: failures.losses },
              { labels: { kind: 'refused' }, value: failures.refusals },
            ],
      ),
  );
  metrics.sampled(
    'counter',
    'riskgate_memory_losses_total',
    'Losses of what decisions remember in Redis that this process has found out, by memory.',
    () => state.memoryLosses().map(({ memory, count }) => ({ labels: { memory }, value: count })),
  );
}

function addFileMetrics(metrics: Metrics, files: ServiceState['files']): void {
  metrics.sampled(
    'gauge',
    'riskgate_file_reload_successful',
    '1 while what is on disk is in force; 0 when it was refused, or is gone.',
    () => files().map(({ file, isCurrent }) => ({ labels: { file }, value: isCurrent ? 1 : 0 })),
  );
  metrics.sampled(
    'gauge',
    'riskgate_file_reload_last_success_timestamp_seconds',
    'When the file that is in force was loaded.',
    () => files().map(({ file, loadedAtMs }) => ({ labels: { file }, value: loadedAtMs / 1000 })),
  );
}

/** The policy alone under names of its own: what an alert is written on, whatever other files there are. */
function addPolicyFileMetrics(metrics: Metrics, { files, policyStatus, promotionState }: ServiceState): void {
  const policyFiles = () => files().filter(({ file }) => file === 'policy');
  metrics.sampled(
    'gauge',
    'riskgate_policy_reload_successful',
    '1 when the latest change of the policy file was taken; 0 when it was refused, or the file is gone.',
    () => policyFiles().map(({ refusedAtMs }) => ({ labels: {}, value: refusedAtMs === null ? 1 : 0 })),
  );
  metrics.sampled(
    'gauge',
    'riskgate_policy_reload_last_success_timestamp_seconds',
    'When a change of the policy file was last taken.',
    () => policyFiles().map(({ loadedAtMs }) => ({ labels: {}, value: loadedAtMs / 1000 })),
  );
  metrics.sampled(
    'gauge',
    'riskgate_policy_differs_from_file',
    '1 while another policy than the one in the policy file is in force.',
    () =>
      policyFiles().map(({ isCurrent }) => ({
        labels: {},
        value: isCurrent && !policyStatus().fileDiffers ? 0 : 1,
      })),
  );
  metrics.sampled(
    'gauge',
    'riskgate_policy_in_force_state',
    '1 for how this process stands to what was put in force for all replicas.',
    () => toStateSamples(POLICY_STATES, policyStatus().state, {}),
  );
  metrics.sampled(
    'gauge',
    'riskgate_promotion_state',
    '1 for how this process stands to the promotion that replicas agree on.',
    () => toStateSamples(PROMOTION_STATES, promotionState(), {}),
  );
}

function addLogMetrics(metrics: Metrics, usage: ServiceState['logUsage']): void {
  metrics.sampled(
    'counter',
    'riskgate_decision_log_records_total',
    'Records by sink: appended, or dropped because the sink did not take them in time.',
    () =>
      usage().flatMap(({ sink, appended, dropped }) => [
        { labels: { sink, result: 'appended' }, value: appended },
        { labels: { sink, result: 'dropped' }, value: dropped },
      ]),
  );
  metrics.sampled(
    'counter',
    'riskgate_decision_log_failures_total',
    'Batches that a sink did not take.',
    () => usage().map(({ sink, failures }) => ({ labels: { sink }, value: failures })),
  );
  metrics.sampled('gauge', 'riskgate_decision_log_waiting', 'Records that wait for a sink.', () =>
    usage().map(({ sink, waiting }) => ({ labels: { sink }, value: waiting })),
  );
}

function addWebhookMetrics(metrics: Metrics, usage: ServiceState['webhookUsage']): void {
  metrics.sampled(
    'counter',
    'riskgate_webhooks_total',
    'Webhooks by target: delivered, retried (an attempt failed), given up after the last, dropped unsent.',
    () =>
      usage().flatMap(({ target, ...counts }) =>
        WEBHOOK_RESULTS.map((result) => ({ labels: { target, result }, value: counts[result] })),
      ),
  );
  metrics.sampled('gauge', 'riskgate_webhooks_waiting', 'Webhooks that wait for a target.', () =>
    usage().map(({ target, waiting }) => ({ labels: { target }, value: waiting })),
  );
}
