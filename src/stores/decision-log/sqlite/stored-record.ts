import type {
  DecisionRecord,
  EvidenceRecord,
  LogRecord,
} from '../../../domain/decision-log/decision-record.ts';
import { hideSubject, type StoredSubject, showSubject } from './entry-subjects.ts';
import type { EvidenceReference } from './evidence-writer.ts';

/** What is stored of a decision: its signals stand elsewhere, its id and the hashes of its subject beside it. */
type StoredDecision = Omit<DecisionRecord, 'decision_id' | 'subject' | 'providers'> & {
  readonly subject: StoredSubject;
  readonly providers: Readonly<Record<string, StoredUse>>;
};

type StoredUse = Omit<EvidenceRecord, 'signals'> & { readonly signals: EvidenceReference | null };

/** What is stored of a record. */
export type StoredRecord = StoredDecision | Exclude<LogRecord, DecisionRecord>;

/**
 * What is stored of a record, which is changed into it: it was parsed for this, and nobody else has it. `keep`
 * keeps its signals; `subject` is as it was packed.
 */
export function toStored(
  { record, subject }: { readonly record: LogRecord; readonly subject: unknown },
  keep: (signals: object) => EvidenceReference,
): StoredRecord {
  if (record.kind !== 'decision') return record;
  for (const id in record.providers) {
    const use = record.providers[id] as { signals: unknown } | undefined;
    if (use?.signals) use.signals = keep(use.signals);
  }
  const changed: Record<string, unknown> = record;
  delete changed['decision_id'];
  changed['subject'] = hideSubject(record.subject, subject);
  return changed as StoredDecision;
}

/**
 * The record that is stored so. `entryOf` gives what stands beside it, and `signalsOf` the signals that were
 * kept.
 */
export function readStored(
  stored: StoredRecord,
  entryOf: () => { readonly id: string; readonly subject: unknown },
  signalsOf: (reference: EvidenceReference) => object,
): LogRecord {
  if (stored.kind !== 'decision') return stored;
  const { version, kind, ...rest } = stored;
  for (const use of Object.values(rest.providers) as { signals: unknown }[])
    if (use.signals !== null) use.signals = signalsOf(use.signals as EvidenceReference);
  const { id, subject } = entryOf();
  const shown = { ...rest, subject: showSubject(rest.subject, subject) };
  // What was written was a record.
  return { version, kind, decision_id: id, ...shown } as DecisionRecord;
}

/** When what is recorded began and ended, Unix milliseconds, also of a text that is stored. */
export function spanOf(record: LogRecord | StoredRecord): readonly [atMs: number, endMs: number] {
  if (record.kind === 'gap') return [Date.parse(record.from), Date.parse(record.until)];
  const atMs = Date.parse(record.kind === 'event' ? record.at : record.decided_at);
  return [atMs, atMs];
}
