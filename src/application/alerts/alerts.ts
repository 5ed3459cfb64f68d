import { type AlertRule, forMsOf } from '../../domain/alerts/alert-rule.ts';
import { type AlertState, changeBetween, toNextState } from '../../domain/alerts/alert-state.ts';
import { thresholdOf } from '../../domain/alerts/reading.ts';
import type { Clock } from '../clock.ts';
import { type AlertChange, type AlertClaims, SETTLE_MS } from './alert-claims.ts';
import { type AlertSources, readAlert } from './read-alert.ts';

/** One alert of the file in force. */
export interface Alert {
  readonly rule: AlertRule;
  /** Null until it was first read. */
  readonly state: AlertState | null;
}

/** Alerts as this process sees them. */
export interface Alerts {
  /** Reads every rule once, in their order, and tells what changed. One run at a time. Never rejects. */
  read(): Promise<void>;
  all(): readonly Alert[];
  /** When all of them were last read, Unix milliseconds; null before. */
  readAtMs(): number | null;
}

interface AlertsOptions {
  /** The rules in force: the same array until they change. */
  readonly rules: () => readonly AlertRule[];
  readonly sources: AlertSources;
  readonly claims: AlertClaims;
  readonly clock: Clock;
  readonly formatTime: (unixMs: number) => string;
  /** Tells those outside. It does not wait and never throws. */
  readonly tell: (message: { readonly type: string; readonly data: object }) => void;
  /** Told of each change in this process, whoever tells it outside. */
  readonly onChange: (alert: Alert, change: AlertChange | 'unknown') => void;
}

interface Known {
  /** The rule as it was read. */
  readonly text: string;
  readonly state: AlertState;
  /** Whether it is made sure that nobody still believes it to fire. */
  readonly isSettled: boolean;
}

/** Builds them. A rule that was changed in the file begins anew, and so does everything with the process. */
export function createAlerts(options: AlertsOptions): Alerts {
  const { rules, clock } = options;
  let known = new Map<string, Known>();
  let readAtMs: number | null = null;
  let running: Promise<void> | null = null;
  const run = async (): Promise<void> => {
    const next: typeof known = new Map();
    for (const rule of rules()) {
      const text = JSON.stringify(rule);
      const before = known.get(rule.name);
      const previous = before?.text === text ? before.state : null;
      const reading = await readAlert(rule, options.sources, clock.nowMs());
      const state = toNextState(previous, reading, forMsOf(rule), clock.nowMs());
      await tellOf({ rule, state }, previous, options);
      const wasSettled = previous !== null && before?.isSettled === true;
      const isSettled = await settle({ rule, state }, wasSettled, options);
      next.set(rule.name, { text, state, isSettled });
    }
    known = next;
    readAtMs = clock.nowMs();
  };
  return {
    read: () => {
      running ??= run().finally(() => {
        running = null;
      });
      return running;
    },
    all: () =>
      rules().map((rule) => {
        const found = known.get(rule.name);
        return { rule, state: found?.text === JSON.stringify(rule) ? found.state : null };
      }),
    readAtMs: () => readAtMs,
  };
}

async function tellOf(
  alert: Alert & { readonly state: AlertState },
  previous: AlertState | null,
  options: AlertsOptions,
): Promise<void> {
  const { rule, state } = alert;
  const { claims, tell, onChange, formatTime } = options;
  const change = changeBetween(previous, state);
  if (change !== null) onChange(alert, change);
  const isBlind = state.reading.kind === 'unknown';
  if (isBlind && previous?.reading.kind !== 'unknown') onChange(alert, 'unknown');
  const told = change ?? (state.firedAtMs === null ? null : 'firing');
  if (told === null) return;
  const isReminder = change === null;
  const isGranted = await claims.claim(rule.name, told, isReminder);
  // A change that nobody can be asked about is rather told twice than never.
  if (isGranted === true || (isGranted === null && !isReminder))
    tell({ type: `alert.${told}`, data: toMessage(alert, state, previous, formatTime) });
}

/**
 * An alert that ended while no process looked, or by a change of its rule, is told to be over once it has been fine for
 * a while: it would count as told already when it fires again. False where that is to be tried again.
 */
async function settle(
  alert: Alert & { readonly state: AlertState },
  wasSettled: boolean,
  { claims, clock, tell, formatTime }: AlertsOptions,
): Promise<boolean> {
  const { rule, state } = alert;
  if (state.state !== 'ok') return false;
  if (wasSettled) return true;
  if (clock.nowMs() - state.sinceMs < SETTLE_MS) return false;
  const isGranted = await claims.claim(rule.name, 'resolved', true);
  if (isGranted === true) tell({ type: 'alert.resolved', data: toMessage(alert, state, null, formatTime) });
  return isGranted !== null;
}

/** What receivers are told. It holds no identifier. */
function toMessage(
  { rule }: Alert,
  { reading, firedAtMs }: AlertState,
  previous: AlertState | null,
  formatTime: (unixMs: number) => string,
) {
  const isMeasured = reading.kind === 'measured';
  const beganMs = firedAtMs ?? previous?.firedAtMs ?? null;
  return {
    alert: rule.name,
    when: rule.when,
    severity: rule.severity,
    description: rule.description ?? null,
    fired_at: beganMs === null ? null : formatTime(beganMs),
    value: isMeasured ? reading.value : null,
    threshold: thresholdOf(rule),
    n: reading.kind === 'unknown' ? null : reading.n,
    about: isMeasured ? reading.about : null,
  };
}
