import { z } from 'zod';
import { type LogRecord, logRecordSchema } from './decision-record.ts';
import { OUTCOME_LABELS, outcomeLabelSchema } from './outcome-label.ts';
import type { LabelledRecord } from './record-columns.ts';

const labelsSchema = z.object({
  label: z.enum(OUTCOME_LABELS).nullable().optional(),
  labels: z.array(outcomeLabelSchema).readonly().optional(),
});

/** As records have it: texts are compared, so that there is one spelling. */
const TIME = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/;

/** A line of an export, read back, or what is wrong with it. No part of the line is in what is wrong. */
type ReadLine =
  | { readonly ok: true; readonly value: LabelledRecord }
  | { readonly ok: false; readonly problem: string };

/**
 * Reads a line of NDJSON: a record as logs hold it, with its labels where an export has put them. What a later
 * version has added to a record stays in it.
 */
export function readExportLine(line: string): ReadLine {
  const json = parse(line);
  if (json === undefined) return { ok: false, problem: 'is no JSON object' };
  const { label: _, labels: given, ...record } = json;
  const labels = labelsSchema.safeParse({ label: _, labels: given });
  if (!labels.success) return { ok: false, problem: describe(labels.error) };
  const read = logRecordSchema.safeParse(record);
  if (!read.success) return { ok: false, problem: describe(read.error) };
  const wrong = Object.entries(timesOf(read.data)).find(
    ([, time]) => !TIME.test(time) || Number.isNaN(Date.parse(time)),
  );
  if (wrong !== undefined) return { ok: false, problem: `${wrong[0]}: is no time of RFC 3339 in UTC` };
  // Checked above; the schema would leave out what it does not know.
  return { ok: true, value: { record: record as typeof read.data, labels: labels.data.labels ?? [] } };
}

function timesOf(record: LogRecord): Readonly<Record<string, string>> {
  if (record.kind === 'decision') return { decided_at: record.decided_at };
  return record.kind === 'gap' ? { from: record.from, until: record.until } : { at: record.at };
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const json: unknown = JSON.parse(line);
    return typeof json === 'object' && json !== null && !Array.isArray(json) ? { ...json } : undefined;
  } catch {
    // The error quotes the line.
    return undefined;
  }
}

function describe({ issues: [first] }: z.ZodError): string {
  const path = first?.path.map(String).join('.') ?? '';
  return path === '' ? (first?.message ?? '') : `${path}: ${first?.message}`;
}
