import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DecisionLogReader, LogEntry } from '../../application/decision-log/decision-log.ts';
import { readAllPages } from '../../application/decision-log/read-pages.ts';
import { labelInForce, type OutcomeLabel } from '../../domain/decision-log/outcome-label.ts';
import type { RecordFilter } from '../../domain/decision-log/record-filter.ts';
import { BYTE_ORDER_MARK, toCsvLine } from './csv.ts';

/** The formats of an export. */
export const EXPORT_FORMATS = ['csv', 'ndjson'] as const;
type ExportFormat = (typeof EXPORT_FORMATS)[number];

interface ExportOptions {
  readonly format: ExportFormat;
  /** Begins with a byte order mark. */
  readonly hasMark: boolean;
}

/** Records that are held at a time: about a megabyte. */
const PAGE = 250;

/** The columns of the CSV, in order. A line of the kind `gap` says that decisions did not reach the log, and how many. */
const CSV_COLUMNS = [
  'kind',
  'id',
  'decided_at',
  'verdict',
  'degraded',
  'reasons',
  'waivers',
  'caller',
  'door',
  'action',
  'request_id',
  'telemetry',
  'devices',
  'account',
  'provider_outcomes',
  'policy_id',
  'policy_hash',
  'engine',
  'latency_ms',
  'label',
  'labelled_at',
  'note',
  'dropped',
] as const;

const NO_LABELS: ReadonlyMap<string, readonly OutcomeLabel[]> = new Map();

/** The text of an export, newest first, a page at a time, with gap records among the decisions; empty for a part of the log in which nothing fits. Rejects with `store_unavailable`. */
export async function* exportDecisions(
  reader: Pick<DecisionLogReader, 'query' | 'labelsOf'>,
  filter: RecordFilter,
  { format, hasMark }: ExportOptions,
): AsyncGenerator<string> {
  const toLine = format === 'csv' ? toCsv : toNdjson;
  let head = (hasMark ? BYTE_ORDER_MARK : '') + (format === 'csv' ? toCsvLine(CSV_COLUMNS) : '');
  for await (const entries of readAllPages(reader, { ...filter, includesGaps: true }, PAGE)) {
    const labels = entries.length === 0 ? NO_LABELS : await reader.labelsOf(entries);
    let text = head;
    for (const entry of entries) text += toLine(entry, labels.get(entry.record.id) ?? []);
    head = '';
    yield text;
    // A log in memory answers in place, and others want their turn.
    await nextTurn();
  }
  if (head !== '') yield head;
}

/** The record as it is in the log, with its labels. */
function toNdjson({ record }: LogEntry, labels: readonly OutcomeLabel[]): string {
  const line = record.kind === 'gap' ? record : { ...record, label: labelInForce(labels), labels };
  return `${JSON.stringify(line)}\n`;
}

function toCsv({ record }: LogEntry, labels: readonly OutcomeLabel[]): string {
  if (record.kind === 'gap') {
    const blanks = CSV_COLUMNS.length - 4;
    return toCsvLine([
      record.kind,
      record.id,
      record.from,
      ...Array<null>(blanks).fill(null),
      record.dropped,
    ]);
  }
  const last = labels.at(-1);
  const { subject, policy } = record;
  return toCsvLine([
    record.kind,
    record.id,
    record.decided_at,
    record.verdict,
    record.degraded,
    codes(record.reasons),
    codes(record.waivers),
    record.caller,
    record.door,
    record.action,
    record.request_id,
    subject.telemetry,
    subject.devices.join(' '),
    subject.account,
    Object.entries(record.providers)
      .map(([id, { outcome }]) => `${id}/${outcome}`)
      .join(' '),
    policy.id,
    policy.hash,
    record.engine,
    record.latency_ms,
    last?.label ?? null,
    last?.at ?? null,
    last?.note ?? null,
    null,
  ]);
}

function codes(reasons: readonly { readonly code: string }[]): string {
  return reasons.map(({ code }) => code).join(' ');
}
