import type {
  DecisionRecord,
  EventRecord,
  GapRecord,
  LogRecord,
} from '../../domain/decision-log/decision-record.ts';
import { type OutcomeLabel, saidInForce } from '../../domain/decision-log/outcome-label.ts';
import { toCsvLine } from './csv.ts';

type Cell = string | number | boolean | null;
type ToCell = (record: DecisionRecord, label: OutcomeLabel | null) => Cell;

/** A column that holds a field of the record as it is. */
type PlainField = {
  [Field in keyof DecisionRecord]-?: DecisionRecord[Field] extends Cell ? Field : never;
}[keyof DecisionRecord];

const plain = (...fields: PlainField[]) =>
  fields.map((field): readonly [string, ToCell] => [field, (record) => record[field]]);

/**
 * The columns, in order. What is a part of a field is named by its path: `policy_hash` is `hash` of `policy`.
 */
const COLUMNS: ReadonlyMap<string, ToCell> = new Map([
  ...plain('kind', 'decision_id', 'decided_at', 'decision', 'degraded'),
  ['reason_codes', ({ reasons }) => codesOf(reasons)],
  ['waiver_codes', ({ waivers }) => codesOf(waivers)],
  ...plain('caller', 'entry_point', 'action', 'request_id'),
  ['subject_telemetry', ({ subject }) => subject.telemetry],
  ['subject_devices', ({ subject }) => subject.devices.join(' ')],
  ['subject_account', ({ subject }) => subject.account],
  ['subject_ip', ({ subject }) => subject.ip ?? null],
  ['subject_network', ({ subject }) => subject.network ?? null],
  ['subject_visitor', ({ subject }) => subject.visitor ?? null],
  ['provider_outcomes', ({ providers }) => outcomesOf(providers)],
  ['policy_id', ({ policy }) => policy.id],
  ['policy_hash', ({ policy }) => policy.hash],
  ...plain('engine', 'latency_ms'),
  ['label', (_, label) => label?.label ?? null],
  ['label_at', (_, label) => label?.at ?? null],
  ['label_note', (_, label) => label?.note ?? null],
  ['gap_id', () => null],
  ['dropped', () => null],
  ['event_id', () => null],
  ['event', () => null],
  ['event_subject', () => null],
]);

/** What a gap has in these columns. It stands at the time when the first decision was lost. */
const GAP_CELLS: Readonly<Record<string, (gap: GapRecord) => Cell>> = {
  kind: ({ kind }) => kind,
  decided_at: ({ from }) => from,
  gap_id: (gap) => gap.gap_id,
  dropped: ({ dropped }) => dropped,
};

/** What an event has in these columns. Its whole record is in NDJSON. */
const EVENT_CELLS: Readonly<Record<string, (event: EventRecord) => Cell>> = {
  kind: ({ kind }) => kind,
  decided_at: ({ at }) => at,
  caller: ({ caller }) => caller,
  request_id: ({ request_id }) => request_id,
  event_id: (event) => event.event_id,
  event: ({ event }) => event,
  event_subject: subjectOf,
};

/** The line of column names. */
export const CSV_HEAD = toCsvLine([...COLUMNS.keys()]);

/** Writes a record as one line. */
type ToCsvRecord = (record: LogRecord, labels: readonly OutcomeLabel[]) => string;

/**
 * Builds the lines of CSV, with times as records have them, or as spreadsheets read them as times whatever their
 * locale: in UTC to the second, without the letters of RFC 3339.
 */
export function createToCsvRecord(isForSpreadsheets: boolean): ToCsvRecord {
  if (!isForSpreadsheets) return (record, labels) => toCsvLine(toCells(record, labels));
  return (record, labels) =>
    toCsvLine(
      toCells(record, labels).map((cell, place) =>
        TIME_COLUMNS.has(place) && typeof cell === 'string' ? toSpreadsheetTime(cell) : cell,
      ),
    );
}

/** By their places. */
const TIME_COLUMNS: ReadonlySet<number> = new Set(
  ['decided_at', 'label_at'].map((name) => [...COLUMNS.keys()].indexOf(name)),
);

function toSpreadsheetTime(time: string): string {
  return time.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(\.\d+)?Z$/, '$1 $2');
}

/**
 * `gap` says that decisions did not reach the log, and how many; `event` what somebody changed.
 */
function toCells(record: LogRecord, labels: readonly OutcomeLabel[]): readonly Cell[] {
  if (record.kind === 'gap') return [...COLUMNS.keys()].map((name) => GAP_CELLS[name]?.(record) ?? null);
  if (record.kind === 'event') return [...COLUMNS.keys()].map((name) => EVENT_CELLS[name]?.(record) ?? null);
  const label = saidInForce(labels);
  return [...COLUMNS.values()].map((toCell) => toCell(record, label));
}

function subjectOf(event: EventRecord): string {
  if (event.event === 'list_changed')
    return [event.list, event.change, ...event.entries.map(({ id }) => id)].join(' ');
  if (
    event.event === 'candidate_changed' ||
    event.event === 'policy_changed' ||
    event.event === 'promotion_changed'
  )
    return [event.change, event.policy.id, event.policy.hash].join(' ');
  if (event.event === 'decision.superseded') return event.hash;
  const { telemetry, device, account } = event.subject;
  return [telemetry, device, account].filter((hash) => hash !== null).join(' ');
}

function codesOf(reasons: readonly { readonly code: string }[]): string {
  return reasons.map(({ code }) => code).join(' ');
}

function outcomesOf(providers: DecisionRecord['providers']): string {
  return Object.entries(providers)
    .map(([id, { outcome }]) => `${id}/${outcome}`)
    .join(' ');
}
