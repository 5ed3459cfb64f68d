import type { AlertRule, ProviderRule, ShareRule, SpikeRule } from '../../domain/alerts/alert-rule.ts';
import {
  type HourCounts,
  judgeCount,
  judgeShare,
  judgeSpike,
  judgeStates,
  type Reading,
} from '../../domain/alerts/reading.ts';
import { GroupedCounts } from '../../domain/decision-log/grouped-counts.ts';
import { fromResultName } from '../../domain/decision-log/rule-results.ts';
import type { CountSteps } from '../decision-log/count-steps.ts';
import { PERIOD_MS } from '../decision-log/decision-log.ts';
import { planWindow } from '../decision-log/plan-window.ts';

/** What alerts are read from. */
export interface AlertSources {
  /** Of the decision log; null where there is none, or none that can be counted. */
  readonly counts: { readonly countSteps: CountSteps; readonly minutesKeptMs: number } | null;
  /** How the enabled providers are, in this process. */
  providers(): readonly { readonly id: string; readonly isOpen: boolean; readonly isSuspect: boolean }[];
  /** Whether what is in the policy file is in force. */
  isPolicyCurrent(): boolean;
  /** Records that were dropped in this process within a window; null where nothing is recorded. */
  recordsDropped(windowMs: number): number | null;
  /** Changes of a list that were made at this process within a window, of all for undefined; null likewise. */
  listChanges(windowMs: number, list?: string): number | null;
  /** Promotions that riskgate took back by itself since then, at any replica; null where that is not known. */
  takenBack(sinceMs: number): number | null;
}

const DAYS = 7;
const DAY_MS = 24 * PERIOD_MS.hour;

/** Reads what a rule is about. Never rejects: what cannot be read is unknown. */
export async function readAlert(rule: AlertRule, sources: AlertSources, nowMs: number): Promise<Reading> {
  switch (rule.when) {
    case 'provider_open':
    case 'provider_suspect':
      return readProviders(rule, sources.providers());
    case 'policy_refused':
      return judgeStates(sources.isPolicyCurrent() ? [] : ['policy']);
    case 'policy_rolled_back': {
      const count = sources.takenBack(nowMs - rule.window);
      return count === null ? { kind: 'unknown', why: 'not_agreed' } : judgeCount(rule, count);
    }
    case 'log_dropping':
    case 'list_changed': {
      const count =
        rule.when === 'list_changed'
          ? sources.listChanges(rule.window, rule.list)
          : sources.recordsDropped(rule.window);
      return count === null ? { kind: 'unknown', why: 'no_log' } : judgeCount(rule, count);
    }
    default:
      return readCounts(rule, sources.counts, nowMs);
  }
}

async function readCounts(
  rule: ShareRule | SpikeRule,
  counts: AlertSources['counts'],
  nowMs: number,
): Promise<Reading> {
  if (counts === null) return { kind: 'unknown', why: 'no_log' };
  try {
    if (rule.when === 'rule_spike')
      return judgeSpike(rule, await lastHour(counts, nowMs), await sameHours(counts, nowMs));
    const all = await countLast(counts, rule.window, nowMs);
    const verdicts = all.of('decision');
    return judgeShare(rule, {
      total: sum(verdicts.values()),
      blocked: verdicts.get('BLOCK') ?? 0,
      challenged: verdicts.get('CHALLENGE') ?? 0,
      degraded: all.of('degraded').get('true') ?? 0,
    });
  } catch {
    // A RiskgateError: the log is away. Its own health says so too.
    return { kind: 'unknown', why: 'unreadable' };
  }
}

const NOTHING = new GroupedCounts();

type Counts = NonNullable<AlertSources['counts']>;

async function countLast({ countSteps, minutesKeptMs }: Counts, windowMs: number, nowMs: number) {
  const question = { windowMs, sinceMs: null, untilMs: null, stepMs: null, isCompared: false };
  const planned = planWindow(question, nowMs, minutesKeptMs);
  // A window within the day for which minutes are counted: rules allow no other.
  if (!planned.ok) throw new Error('a window of whole minutes within a day');
  return (await countSteps(planned.value)).all.counts;
}

async function lastHour(counts: Counts, nowMs: number): Promise<HourCounts> {
  return toHour(await countLast(counts, PERIOD_MS.hour, nowMs));
}

/**
 * The same sixty minutes of the days before, the latest first. Of them hours alone are counted: each is made of two,
 * by the share of them that it covers.
 */
async function sameHours({ countSteps }: Counts, nowMs: number): Promise<readonly HourCounts[]> {
  const stepMs = PERIOD_MS.hour;
  const sinceMs = Math.floor((nowMs - DAYS * DAY_MS) / stepMs) * stepMs - stepMs;
  const untilMs = Math.floor((nowMs - DAY_MS) / stepMs) * stepMs + stepMs;
  const { steps } = await countSteps({ sinceMs, untilMs, stepMs, period: 'hour' });
  const share = (nowMs % stepMs) / stepMs;
  return Array.from({ length: DAYS }, (_, day) => {
    const place = (DAYS - 1 - day) * (DAY_MS / stepMs);
    const [earlier, later] = [place, place + 1].map((each) => toHour(steps[each]?.counts ?? NOTHING));
    return mix(earlier, 1 - share, later, share);
  });
}

function mix(
  earlier: HourCounts | undefined,
  earlierShare: number,
  later: HourCounts | undefined,
  laterShare: number,
): HourCounts {
  const fired = new Map<string, number>();
  let total = 0;
  for (const [hour, share] of [
    [earlier, earlierShare],
    [later, laterShare],
  ] as const) {
    total += (hour?.total ?? 0) * share;
    for (const [rule, count] of hour?.fired ?? []) fired.set(rule, (fired.get(rule) ?? 0) + count * share);
  }
  return { total, fired };
}

/** Only where it was true: a rule that could not be decided is another matter. */
function toHour(counts: GroupedCounts): HourCounts {
  const fired = new Map<string, number>();
  for (const [value, count] of counts.of('rule')) {
    const { name, result } = fromResultName(value);
    if (result === 'true') fired.set(name, count);
  }
  return { total: sum(counts.of('decision').values()), fired };
}

/** A provider that is not enabled, or misspelt in the rule, is not fine. */
function readProviders(
  { when, provider }: ProviderRule,
  enabled: ReturnType<AlertSources['providers']>,
): Reading {
  const named = enabled.filter(({ id }) => provider === undefined || provider === id);
  if (provider !== undefined && named.length === 0) return { kind: 'unknown', why: 'no_provider' };
  const affected = named.filter(({ isOpen, isSuspect }) => (when === 'provider_open' ? isOpen : isSuspect));
  return judgeStates(affected.map(({ id }) => id));
}

function sum(counts: Iterable<number>): number {
  let total = 0;
  for (const count of counts) total += count;
  return total;
}
