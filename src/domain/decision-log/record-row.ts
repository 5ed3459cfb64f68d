import type { DecisionRecord, EvidenceRecord } from './decision-record.ts';
import { CUTS_BEFORE, PROVIDER_CUTS, type RecordFrame } from './record-frame.ts';

/** What stands for the parts of a record that many have in common. */
interface RowWriters {
  readonly signalsOf: (evidence: EvidenceRecord) => unknown;
  /** Given a fact, and its place among FACT_CUTS. */
  readonly factOf: (value: unknown, place: number) => unknown;
}

/** The facts of a record in the order of its row. */
export const FACT_CUTS = ['custody', 'activity', 'step_up', 'lists', 'shared', 'contradictions'] as const;

/** The number of a frame, and behind it the values of a record that has it. */
export function toRow(
  number: number,
  { of }: RecordFrame,
  record: DecisionRecord,
  { signalsOf, factOf }: RowWriters,
): unknown[] {
  const { subject, custody, activity, step_up, lists, shared, contradictions } = record;
  const row: unknown[] = [number, record.decision_id, record.decided_at, record.request_id];
  row.push(
    subject.telemetry,
    subject.devices,
    subject.account,
    subject.ip,
    subject.network,
    subject.visitor,
    subject.place,
  );
  for (const id in of.providers) {
    const use = record.providers[id];
    if (use === undefined) throw new RangeError('a record has the providers of its frame');
    row.push(use.latency_ms, use.age_ms, use.request_id, signalsOf(use));
  }
  const facts = [custody.signals, activity, step_up, lists, shared, contradictions];
  row.push(...facts.map(factOf), record.latency_ms);
  return row;
}

/** The record whose row this is. `frame` is the frame as an object; `partOf` reads signals and facts of the row. */
export function fillRecord(
  frame: DecisionRecord,
  row: readonly unknown[],
  partOf: (value: unknown) => unknown,
): DecisionRecord {
  let place = 1 + CUTS_BEFORE;
  const providers: Record<string, object> = {};
  for (const id in frame.providers) {
    const [latency_ms, age_ms, request_id, signals] = row.slice(place, place + PROVIDER_CUTS);
    providers[id] = { ...frame.providers[id], latency_ms, age_ms, request_id, signals: partOf(signals) };
    place += PROVIDER_CUTS;
  }
  const [decision_id, decided_at, request_id, telemetry, devices, account, ip, network, visitor, kept] =
    row.slice(1);
  const [custody, activity, step_up, lists, ...rest] = row.slice(place).map(partOf);
  // A frame of before shared signals were recorded has no place for them.
  const isEarlier = !('shared' in frame);
  const [shared, contradictions, latency_ms] = isEarlier ? [undefined, ...rest] : rest;
  const filled = {
    ...frame,
    decision_id,
    decided_at,
    request_id,
    subject: { ...frame.subject, telemetry, devices, account, ip, network, visitor, place: kept },
    providers,
    custody: { ...frame.custody, signals: custody },
    activity,
    step_up,
    lists,
    ...(!isEarlier && { shared }),
    contradictions,
    latency_ms,
  };
  // It has the values of a record in their places.
  return filled as DecisionRecord;
}
