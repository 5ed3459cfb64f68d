import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DecisionLogReader, LogPosition } from '../../application/decision-log/decision-log.ts';
import { readAllPages } from '../../application/decision-log/read-pages.ts';
import { idOf, type LogRecord } from '../../domain/decision-log/decision-record.ts';
import { labelInForce, type OutcomeLabel } from '../../domain/decision-log/outcome-label.ts';
import type { RecordFilter } from '../../domain/decision-log/record-filter.ts';
import { BYTE_ORDER_MARK } from './csv.ts';
import { CSV_HEAD, createToCsvRecord } from './csv-columns.ts';

interface ExportOptions {
  readonly format: 'csv' | 'ndjson';
  /** Begins with a byte order mark. */
  readonly hasMark: boolean;
  /** Of CSV; as in records where it is absent. */
  readonly times?: 'rfc3339' | 'spreadsheet' | undefined;
  /** Goes on behind this position of the log, without a head; absent for the whole. */
  readonly after?: LogPosition | undefined;
}

/** Records that are held at a time: about half a megabyte, which is written in some milliseconds. */
const PAGE = 100;

const NO_LABELS: ReadonlyMap<string, readonly OutcomeLabel[]> = new Map();

/**
 * The text of an export, newest first, a page at a time, with gap records among the decisions, and events
 * where decisions are chosen by time alone; empty for a part of the log in which nothing fits. Rejects with
 * `store_unavailable`.
 */
export async function* exportDecisions(
  reader: Pick<DecisionLogReader, 'query' | 'labelsOf'>,
  filter: RecordFilter,
  { format, hasMark, times, after }: ExportOptions,
): AsyncGenerator<string> {
  const toLine = format === 'csv' ? createToCsvRecord(times === 'spreadsheet') : toNdjson;
  let head = after === undefined ? (hasMark ? BYTE_ORDER_MARK : '') + (format === 'csv' ? CSV_HEAD : '') : '';
  const asked = { ...filter, includesGaps: true, includesEvents: isByTimeAlone(filter) };
  for await (const entries of readAllPages(reader, asked, PAGE, after ?? null)) {
    const labels = entries.length === 0 ? NO_LABELS : await reader.labelsOf(entries);
    let text = head;
    for (const { record } of entries) text += toLine(record, labels.get(idOf(record)) ?? []);
    head = '';
    yield text;
    // A log in memory answers in place, and others want their turn.
    await nextTurn();
  }
  if (head !== '') yield head;
}

/** A filter by anything else asks for decisions. */
function isByTimeAlone(filter: RecordFilter): boolean {
  return Object.entries(filter).every(
    ([name, value]) => value === undefined || name === 'since' || name === 'until',
  );
}

/** The record as it is in the log, with its labels. */
function toNdjson(record: LogRecord, labels: readonly OutcomeLabel[]): string {
  const line = record.kind === 'decision' ? { ...record, label: labelInForce(labels), labels } : record;
  return `${JSON.stringify(line)}\n`;
}
