import { toJsonStringOrNull } from '../json-string.ts';
import type { DecisionRecord, EvidenceRecord } from './decision-record.ts';

/**
 * The text that records share which differ in ids, hashes, times, latencies, signals and facts about the
 * subject alone, cut where those stand.
 */
export interface RecordFrame {
  /** A record that it was made of. */
  readonly of: DecisionRecord;
  /** One more than there are cuts. */
  readonly parts: readonly string[];
}

/** Stands where the text is cut: a value that nobody gives. */
const CUT = '\u0000';
export const CUT_TEXT = JSON.stringify(CUT);
/** Cuts before those of the providers, of each provider, and after them. */
const CUTS_BEFORE = 9;
const PROVIDER_CUTS = 4;
const CUTS_AFTER = 6;

/** The frame of a record; null where the record itself holds what marks a cut, or lacks what is cut. */
export function toFrame(of: DecisionRecord): RecordFrame | null {
  if (!hasAllFields(of)) return null;
  const providers: Record<string, object> = {};
  for (const id in of.providers)
    providers[id] = { ...of.providers[id], latency_ms: CUT, age_ms: CUT, request_id: CUT, signals: CUT };
  const subject = { telemetry: CUT, devices: CUT, account: CUT, ip: CUT, network: CUT, visitor: CUT };
  const cut = {
    ...of,
    decision_id: CUT,
    decided_at: CUT,
    request_id: CUT,
    subject: { ...of.subject, ...subject },
    providers,
    custody: { ...of.custody, signals: CUT },
    activity: CUT,
    step_up: CUT,
    lists: CUT,
    contradictions: CUT,
    latency_ms: CUT,
  };
  const parts = JSON.stringify(cut).split(CUT_TEXT);
  const cuts = CUTS_BEFORE + PROVIDER_CUTS * Object.keys(providers).length + CUTS_AFTER;
  return parts.length === cuts + 1 ? { of, parts } : null;
}

/** The number of a frame, and behind it the values of a record that has it; `signalsOf` gives its signals. */
export function toRow(
  number: number,
  { of }: RecordFrame,
  record: DecisionRecord,
  signalsOf: (evidence: EvidenceRecord) => unknown,
): unknown[] {
  const { subject, custody, activity, step_up, lists, contradictions } = record;
  const row: unknown[] = [number, record.decision_id, record.decided_at, record.request_id];
  row.push(subject.telemetry, subject.devices, subject.account, subject.ip, subject.network, subject.visitor);
  for (const id in of.providers) {
    const use = record.providers[id];
    if (use === undefined) throw new RangeError('a record has the providers of its frame');
    row.push(use.latency_ms, use.age_ms, use.request_id, signalsOf(use));
  }
  row.push(custody.signals, activity, step_up, lists, contradictions, record.latency_ms);
  return row;
}

/** The record whose row this is. `frame` is the frame as an object; `signalsOf` reads signals of the row. */
export function fillRecord(
  frame: DecisionRecord,
  row: readonly unknown[],
  signalsOf: (value: unknown) => unknown,
): DecisionRecord {
  let place = 1 + CUTS_BEFORE;
  const providers: Record<string, object> = {};
  for (const id in frame.providers) {
    const [latency_ms, age_ms, request_id, signals] = row.slice(place, place + PROVIDER_CUTS);
    providers[id] = { ...frame.providers[id], latency_ms, age_ms, request_id, signals: signalsOf(signals) };
    place += PROVIDER_CUTS;
  }
  const [decision_id, decided_at, request_id, telemetry, devices, account, ip, network, visitor] =
    row.slice(1);
  const [custody, activity, step_up, lists, contradictions, latency_ms] = row.slice(place);
  const filled = {
    ...frame,
    decision_id,
    decided_at,
    request_id,
    subject: { ...frame.subject, telemetry, devices, account, ip, network, visitor },
    providers,
    custody: { ...frame.custody, signals: custody },
    activity,
    step_up,
    lists,
    contradictions,
    latency_ms,
  };
  // It has the values of a record in their places.
  return filled as DecisionRecord;
}

/** Whether two records have a frame in common. What they share must be the same objects. */
export function haveOneFrame(left: DecisionRecord, right: DecisionRecord): boolean {
  return (
    left.rules === right.rules &&
    left.reasons === right.reasons &&
    left.waivers === right.waivers &&
    left.caller === right.caller &&
    left.action === right.action &&
    left.entry_point === right.entry_point &&
    left.decision === right.decision &&
    left.degraded === right.degraded &&
    left.request === right.request &&
    left.custody.result === right.custody.result &&
    left.policy.hash === right.policy.hash &&
    left.policy.id === right.policy.id &&
    left.subject.hash_key === right.subject.hash_key &&
    left.engine === right.engine &&
    left.candidates === right.candidates &&
    hasAllFields(left) === hasAllFields(right) &&
    areAlike(left.providers, right.providers)
  );
}

/** Whether the record has every field that is cut. Those of an earlier version, or of another tool, may not. */
function hasAllFields({ subject, activity, step_up, lists, contradictions }: DecisionRecord): boolean {
  return (
    activity !== undefined &&
    step_up !== undefined &&
    lists !== undefined &&
    contradictions !== undefined &&
    subject.ip !== undefined &&
    subject.network !== undefined &&
    subject.visitor !== undefined
  );
}

type Providers = DecisionRecord['providers'];

/** The order counts too: it is that of the text. */
function areAlike(left: Providers, right: Providers): boolean {
  const ids = Object.keys(left);
  const others = Object.keys(right);
  if (ids.length !== others.length) return false;
  return ids.every((id, place) => others[place] === id && isAlike(left[id], right[id]));
}

function isAlike(left: EvidenceRecord | undefined, right: EvidenceRecord | undefined): boolean {
  return (
    left !== undefined &&
    right !== undefined &&
    left.outcome === right.outcome &&
    left.cache === right.cache &&
    left.cache_level === right.cache_level &&
    left.suspect === right.suspect
  );
}

/**
 * The text of a record that has this frame. Ids of decisions, hashes and times are ours and plain; ids that
 * come from outside are escaped.
 */
export function fillFrame(
  { of, parts }: RecordFrame,
  record: DecisionRecord,
  signalsTextOf: (evidence: EvidenceRecord) => string,
): string {
  const { subject } = record;
  let text =
    `${parts[0]}"${record.decision_id}"${parts[1]}"${record.decided_at}"${parts[2]}` +
    `${toJsonStringOrNull(record.request_id)}${parts[3]}${hashText(subject.telemetry)}${parts[4]}` +
    `${JSON.stringify(subject.devices)}${parts[5]}${hashText(subject.account)}${parts[6]}` +
    `${hashText(subject.ip)}${parts[7]}${hashText(subject.network)}${parts[8]}` +
    `${toJsonStringOrNull(subject.visitor ?? null)}${parts[CUTS_BEFORE]}`;
  let place = CUTS_BEFORE;
  for (const id in of.providers) {
    const use = record.providers[id];
    if (use === undefined) throw new RangeError('a record has the providers of its frame');
    text +=
      `${numberText(use.latency_ms)}${parts[place + 1]}${numberText(use.age_ms)}${parts[place + 2]}` +
      `${toJsonStringOrNull(use.request_id)}${parts[place + 3]}${signalsTextOf(use)}${parts[place + PROVIDER_CUTS]}`;
    place += PROVIDER_CUTS;
  }
  const { custody, activity, step_up, lists, contradictions } = record;
  for (const value of [custody.signals, activity, step_up, lists, contradictions]) {
    place += 1;
    text += factText(value) + parts[place];
  }
  return `${text}${numberText(record.latency_ms)}${parts[place + 1]}`;
}

/** A text is one of ours, and plain. */
function factText(value: object | string | null | undefined): string {
  if (value === null) return 'null';
  return typeof value === 'string' ? `"${value}"` : JSON.stringify(value);
}

function hashText(hash: string | null | undefined): string {
  return typeof hash === 'string' ? `"${hash}"` : 'null';
}

function numberText(number: number): string {
  return Number.isFinite(number) ? String(number) : 'null';
}
