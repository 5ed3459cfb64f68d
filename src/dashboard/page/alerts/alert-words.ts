import { formatCount, formatShare, NOTHING } from '../format.ts';
import type { AlertOnPage } from '../wire.ts';

/** What each kind of alert is about. */
const SUBJECTS: Readonly<Record<string, string>> = {
  block_rate: 'Share of decisions that block',
  challenge_rate: 'Share of decisions that challenge',
  degraded_share: 'Share of degraded decisions',
  rule_spike: 'A rule against the same hour of 7 days',
  provider_open: 'A provider is not called: its circuit is open',
  provider_suspect: 'A provider is not believed',
  policy_refused: 'The policy file is not in force',
  log_dropping: 'Records that were dropped',
  list_changed: 'Changes of lists',
  policy_rolled_back: 'Promotions that were taken back by themselves',
};

const WHYS: Readonly<Record<string, string>> = {
  no_log: 'There is no decision log to read.',
  unreadable: 'The decision log cannot be read.',
  no_history:
    'Fewer than 3 days to compare with. A log in memory begins anew with each start: DATA_DIR or HISTORY_URL keeps one.',
  no_provider: 'The provider it names is not enabled.',
  not_agreed: 'Redis does not say which policy is in force.',
  not_read: 'Not read yet.',
};

/** What the alert is about, in words. */
export function subjectOf({ when }: Pick<AlertOnPage, 'when'>): string {
  return SUBJECTS[when] ?? when;
}

/** What was read, beside what it is compared with; or why nothing could be said. */
export function readingOf({ when, value, threshold, n, about, why, state }: AlertOnPage): string {
  if (why !== null) return WHYS[why] ?? why;
  if (value === null)
    return state === 'too_few' || n !== null ? `Only ${formatCount(n ?? 0)} decisions.` : NOTHING;
  if (threshold === null) return about ?? 'No';
  const of = n === null ? '' : ` (${formatCount(n)})`;
  const subject = about === null ? '' : `${about}: `;
  if (when === 'rule_spike') return `${subject}${value.toFixed(1)} times the usual${of}, limit ${threshold}`;
  const isShare = threshold < 1 && (when.endsWith('_rate') || when.endsWith('_share'));
  const show = isShare ? formatShare : formatCount;
  return `${subject}${show(value)}${of}, limit ${show(threshold)}`;
}

/** The text of each state; its order is that of the list. */
export const STATE_WORDS = {
  firing: 'Firing',
  pending: 'Pending',
  unknown: 'Unknown',
  too_few: 'Too few',
  ok: 'OK',
} as const satisfies Record<AlertOnPage['state'], string>;

/** Alerts with the worst first, in the order of the file among equals. */
export function orderAlerts(alerts: readonly AlertOnPage[]): readonly AlertOnPage[] {
  const states = Object.keys(STATE_WORDS);
  return alerts.toSorted((left, right) => states.indexOf(left.state) - states.indexOf(right.state));
}
