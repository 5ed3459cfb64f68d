import type { Outcome } from '../evidence.ts';
import type { Verdict } from '../verdict.ts';
import type { DecisionRecord, LogRecord } from './decision-record.ts';

/**
 * A filter of decisions. A record must match every field that is given. Identifiers are given as the keyed
 * hashes of the log.
 */
export interface RecordFilter {
  readonly decision?: Verdict | undefined;
  /** A reason code. */
  readonly reason?: string | undefined;
  /** An outcome of any provider, or of the one that is named. */
  readonly providerOutcome?: { readonly provider: string | null; readonly outcome: Outcome } | undefined;
  readonly caller?: string | undefined;
  readonly entryPoint?: string | undefined;
  readonly action?: string | undefined;
  readonly degraded?: boolean | undefined;
  /** The id or the hash of a policy. */
  readonly policy?: string | undefined;
  /** The hashes of an identifier under each known key: the record must match one of them. */
  readonly telemetry?: readonly string[] | undefined;
  readonly device?: readonly string[] | undefined;
  readonly account?: readonly string[] | undefined;
  /** Decided at or after `since`, and before `until`, in the format of `decided_at`. */
  readonly since?: string | undefined;
  readonly until?: string | undefined;
  /** Also matches gap records, by their times alone. */
  readonly includesGaps?: boolean | undefined;
}

/** True when the record matches the filter. */
export function matchesFilter(record: LogRecord, filter: RecordFilter): boolean {
  const { since, until } = filter;
  if (record.kind === 'gap')
    return filter.includesGaps === true && overlaps(record.from, record.until, filter);
  if (since !== undefined && record.decided_at < since) return false;
  if (until !== undefined && record.decided_at >= until) return false;
  return matchesAnswer(record, filter) && matchesSubject(record, filter);
}

function overlaps(from: string, to: string, { since, until }: RecordFilter): boolean {
  return (since === undefined || to >= since) && (until === undefined || from < until);
}

function matchesAnswer(record: DecisionRecord, filter: RecordFilter): boolean {
  const { decision, reason, providerOutcome, caller, entryPoint, action, degraded, policy } = filter;
  return (
    isOrAny(decision, record.decision) &&
    isOrAny(caller, record.caller) &&
    isOrAny(entryPoint, record.entry_point) &&
    isOrAny(action, record.action) &&
    isOrAny(degraded, record.degraded) &&
    (policy === undefined || policy === record.policy.id || policy === record.policy.hash) &&
    (reason === undefined || record.reasons.some(({ code }) => code === reason)) &&
    (providerOutcome === undefined || hasOutcome(record, providerOutcome))
  );
}

function matchesSubject({ subject }: DecisionRecord, { telemetry, device, account }: RecordFilter): boolean {
  return (
    isAmong(telemetry, subject.telemetry) &&
    isAmong(account, subject.account) &&
    (device === undefined || device.some((hash) => subject.devices.includes(hash)))
  );
}

function isAmong(wanted: readonly string[] | undefined, hash: string | null): boolean {
  return wanted === undefined || (hash !== null && wanted.includes(hash));
}

function isOrAny<Value>(wanted: Value | undefined, value: Value | null): boolean {
  return wanted === undefined || wanted === value;
}

function hasOutcome(
  { providers }: DecisionRecord,
  { provider, outcome }: NonNullable<RecordFilter['providerOutcome']>,
): boolean {
  if (provider !== null)
    return Object.hasOwn(providers, provider) && providers[provider]?.outcome === outcome;
  return Object.values(providers).some((use) => use.outcome === outcome);
}
