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
/** The same in a text. */
export const CUT_TEXT = JSON.stringify(CUT);
/** Cuts before those of the providers. */
export const CUTS_BEFORE = 10;
/** Cuts of each provider. */
export const PROVIDER_CUTS = 4;
/** Cuts after those of the providers. */
const CUTS_AFTER = 7;

/** The frame of a record; null where the record itself holds what marks a cut, or lacks what is cut. */
export function toFrame(of: DecisionRecord): RecordFrame | null {
  if (!hasAllFields(of)) return null;
  const providers: Record<string, object> = {};
  for (const id in of.providers)
    providers[id] = { ...of.providers[id], latency_ms: CUT, age_ms: CUT, request_id: CUT, signals: CUT };
  const subject = {
    telemetry: CUT,
    devices: CUT,
    account: CUT,
    ip: CUT,
    network: CUT,
    visitor: CUT,
    place: CUT,
  };
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
    shared: CUT,
    contradictions: CUT,
    latency_ms: CUT,
  };
  const parts = JSON.stringify(cut).split(CUT_TEXT);
  const cuts = CUTS_BEFORE + PROVIDER_CUTS * Object.keys(providers).length + CUTS_AFTER;
  return parts.length === cuts + 1 ? { of, parts } : null;
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
function hasAllFields({
  subject,
  activity,
  step_up,
  lists,
  shared,
  contradictions,
}: DecisionRecord): boolean {
  return (
    activity !== undefined &&
    step_up !== undefined &&
    lists !== undefined &&
    shared !== undefined &&
    contradictions !== undefined &&
    subject.ip !== undefined &&
    subject.network !== undefined &&
    subject.visitor !== undefined &&
    subject.place !== undefined
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
    `${toJsonStringOrNull(subject.visitor ?? null)}${parts[9]}${factText(subject.place)}${parts[CUTS_BEFORE]}`;
  let place = CUTS_BEFORE;
  for (const id in of.providers) {
    const use = record.providers[id];
    if (use === undefined) throw new RangeError('a record has the providers of its frame');
    text +=
      `${numberText(use.latency_ms)}${parts[place + 1]}${numberText(use.age_ms)}${parts[place + 2]}` +
      `${toJsonStringOrNull(use.request_id)}${parts[place + 3]}${signalsTextOf(use)}${parts[place + PROVIDER_CUTS]}`;
    place += PROVIDER_CUTS;
  }
  const { custody, activity, step_up, lists, shared, contradictions } = record;
  for (const value of [custody.signals, activity, step_up, lists, shared, contradictions]) {
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
