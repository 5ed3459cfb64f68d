import type { Logger } from 'pino';
import type { AlertChange } from '../application/alerts/alert-claims.ts';
import { type Alert, type Alerts, createAlerts } from '../application/alerts/alerts.ts';
import type { AlertSources } from '../application/alerts/read-alert.ts';
import { createRecentCounts, type RecentCounts } from '../application/alerts/recent-counts.ts';
import type { RecordEvent } from '../application/decision-log/record-event.ts';
import type { ProviderSlot } from '../application/evidence/gather-evidence.ts';
import type { AlertRule } from '../domain/alerts/alert-rule.ts';
import type { ALERT_STATES } from '../domain/alerts/alert-state.ts';
import { findUnknownNames } from '../domain/alerts/unknown-names.ts';
import type { CompiledPolicy } from '../domain/policy/compile.ts';
import type { DecisionReads } from '../http/decision-log/decision-reads.ts';
import { toRfc3339 } from '../platform/rfc3339.ts';
import type { WebhookSender } from '../platform/webhooks/webhook-sender.ts';
import { createMemoryAlertClaims } from '../stores/alerts/memory-claims.ts';
import { createRedisAlertClaims } from '../stores/alerts/redis-claims.ts';
import type { RedisHandle } from '../stores/redis/handle.ts';
import type { AppContext } from './context.ts';
import type { DecisionLog } from './decision-log.ts';
import type { FollowedFiles } from './followed-files.ts';
import type { Observers } from './observers.ts';
import { openRedis } from './open-redis.ts';
import type { RedisInUse } from './redis.ts';

interface AlertParts {
  readonly files: FollowedFiles;
  readonly redis: RedisInUse;
  readonly slots: readonly ProviderSlot[];
  /** Null records nothing. */
  readonly log: DecisionLog | null;
  /** Null likewise. */
  readonly reads: Pick<DecisionReads, 'countSteps' | 'log'> | null;
  readonly circuitOf: Observers['circuitOf'];
  readonly webhooks: Pick<WebhookSender, 'send'>;
  readonly takenBack: AlertSources['takenBack'];
}

/** Alerts before what they are read from is there. */
interface PreparedAlerts {
  /** Changes of lists, to be noted here. */
  readonly listChanges: RecentCounts;
  /** Of each alert. */
  states(): readonly (typeof ALERT_STATES)[number][];
  /** Reads them again and again, until they are closed. */
  watch(parts: AlertParts): { readonly alerts: Alerts; close(): Promise<void> };
}

/** Decisions do not wait for it. */
const BUDGET_MS = 1_000;

/** Counts changes of lists that are recorded, in this process. */
export function countListChanges(record: RecordEvent, counts: RecentCounts): RecordEvent {
  return (event) => {
    if (event.event === 'list_changed') counts.add(event.list, event.entries.length);
    return record(event);
  };
}

/** Builds them. Nothing is read before they are watched, nor where no rules are in force. */
export function prepareAlerts(context: AppContext): PreparedAlerts {
  const { clock, logger } = context;
  const listChanges = createRecentCounts(clock);
  let alerts: Alerts | null = null;
  return {
    listChanges,
    states: () => (alerts?.all() ?? []).map(({ state }) => state?.state ?? 'unknown'),
    watch: (parts) => {
      const { files, webhooks } = parts;
      const handle = openClaims(context, parts.redis);
      const dropped = createRecentCounts(clock);
      const watched = createAlerts({
        rules: files.alerts,
        sources: toSources({ ...parts, listChanges }, dropped),
        claims: handle === null ? createMemoryAlertClaims(clock) : createRedisAlertClaims(handle),
        clock,
        formatTime: toRfc3339,
        tell: webhooks.send,
        onChange: (alert, change) => logChange(logger, alert, change),
      });
      alerts = watched;
      const readDropped = countDropped(parts.log, dropped);
      const tellUnknown = warnOfUnknownNames(logger);
      const read = (): void => {
        readDropped();
        tellUnknown(files.alerts(), files.policy());
        if (files.alerts().length > 0) void watched.read();
      };
      read();
      const timer = setInterval(read, context.alertsEveryMs).unref();
      return {
        alerts: watched,
        close: async () => {
          clearInterval(timer);
          await handle?.close();
        },
      };
    },
  };
}

/** Null where this process has nobody to agree with, or nothing to tell. */
function openClaims({ config, logger }: AppContext, { target, recheck }: RedisInUse): RedisHandle | null {
  if (target === null || config.alertsFile === null) return null;
  return openRedis({
    target,
    name: 'riskgate-alerts',
    budgetMs: BUDGET_MS,
    logger,
    eventPrefix: 'alerts.redis_',
    onRefused: recheck,
  });
}

/**
 * Warns of rules and lists that alerts name and the policy does not have: once, and again where they are missing
 * again. It is no mistake of the file: the policy may have them tomorrow.
 */
function warnOfUnknownNames(logger: Logger): (alerts: readonly AlertRule[], policy: CompiledPolicy) => void {
  let [seenAlerts, seenPolicy]: [(readonly AlertRule[])?, CompiledPolicy?] = [];
  let told: ReadonlySet<string> = new Set();
  return (alerts, policy) => {
    if (alerts === seenAlerts && policy === seenPolicy) return;
    [seenAlerts, seenPolicy] = [alerts, policy];
    const before = told;
    const unknown = findUnknownNames(alerts, policy).map((each) => [JSON.stringify(each), each] as const);
    told = new Set(unknown.map(([text]) => text));
    for (const [text, { alert, kind, name }] of unknown)
      if (!before.has(text))
        logger.warn(
          { event: 'alerts.unknown_name', alert, [kind]: name, policy_hash: policy.hash },
          'an alert names what the policy does not have',
        );
  };
}

function logChange(logger: Logger, { rule, state }: Alert, change: AlertChange | 'unknown'): void {
  const line = { event: `alert.${change}`, alert: rule.name, when: rule.when, reading: state?.reading };
  if (change === 'resolved') logger.info(line);
  else logger.warn(line, change === 'unknown' ? 'an alert cannot be read' : 'an alert fires');
}

function toSources(
  {
    files,
    slots,
    log,
    reads,
    circuitOf,
    listChanges,
    takenBack,
  }: AlertParts & { readonly listChanges: RecentCounts },
  dropped: RecentCounts,
): AlertSources {
  return {
    counts: reads && { countSteps: reads.countSteps, minutesKeptMs: reads.log.minutesKeptMs },
    providers: () =>
      slots.flatMap(({ id, source }) =>
        source === null ? [] : [{ id, isOpen: circuitOf(id) === 'open', isSuspect: source.isSuspect() }],
      ),
    isPolicyCurrent: () => files.statuses().every(({ file, isCurrent }) => file !== 'policy' || isCurrent),
    recordsDropped: (windowMs) => (log === null ? null : dropped.within(windowMs)),
    listChanges: (windowMs, list) => (log === null ? null : listChanges.within(windowMs, list)),
    takenBack,
  };
}

/** The sinks count what they dropped since the start: what is new of it is noted at each call. */
function countDropped(log: DecisionLog | null, counts: RecentCounts): () => void {
  let before = 0;
  return () => {
    const all = (log?.usage() ?? []).reduce((sum, { dropped }) => sum + dropped, 0);
    if (all > before) counts.add('dropped', all - before);
    before = all;
  };
}
