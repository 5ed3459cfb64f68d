import type { DatabaseSync } from 'node:sqlite';
import type { LabelResult } from '../../../application/decision-log/decision-log.ts';
import {
  labelInForce,
  NOT_LABELLED,
  type OutcomeLabel,
  tryLabel,
} from '../../../domain/decision-log/outcome-label.ts';
import type { HistoryReader, LabelledText } from './history-reader.ts';
import { type SegmentName, toPlace } from './segment-name.ts';

/** A label for a decision; see DecisionLogReader. */
export interface LabelTask {
  readonly id: string;
  readonly label: OutcomeLabel;
  readonly isTimeGiven: boolean;
  readonly seen: number | null;
}

/** What becomes of a label, with the text of the decision. */
export type TextLabelResult = LabelResult<LabelledText>;

/** The same, or the error of a disk that failed: nothing of the label is kept then. */
export type LabelAttempt = TextLabelResult | { readonly kind: 'failed'; readonly error: unknown };

interface LabelWriterOptions {
  readonly reader: HistoryReader;
  /** Opens a segment for writing. It is closed again. */
  readonly open: (name: SegmentName) => DatabaseSync;
  /** Told of decisions that have another label, and of the first one. */
  readonly onLabelled: (name: SegmentName, seq: number, isFirst: boolean) => void;
}

interface Row {
  readonly seq: number;
  readonly labels: readonly OutcomeLabel[];
  readonly isFirst: boolean;
}

/** Labels that one transaction writes, and what becomes of each task when it has. */
interface Group {
  readonly segment: SegmentName | null;
  readonly rows: Row[];
  readonly results: TextLabelResult[];
}

const INSERT = `INSERT INTO labels (seq, at, label, history) SELECT seq, at, ?, ? FROM entries WHERE seq = ?
  ON CONFLICT DO UPDATE SET label = excluded.label, history = excluded.history`;

/**
 * Adds labels to decisions, in the order of the tasks (see tryLabel). Opening a file and committing cost more than a
 * label: those that follow each other in one segment are one transaction, and fail together.
 */
export function labelAll(tasks: readonly LabelTask[], options: LabelWriterOptions): LabelAttempt[] {
  const attempts: LabelAttempt[] = [];
  while (attempts.length < tasks.length) attempts.push(...labelSome(tasks.slice(attempts.length), options));
  return attempts;
}

/** The first of the tasks, at least one, as far as one transaction goes. */
function labelSome(tasks: readonly LabelTask[], options: LabelWriterOptions): LabelAttempt[] {
  let group: Group;
  try {
    group = gather(tasks, options.reader);
  } catch (error) {
    return [{ kind: 'failed', error }];
  }
  try {
    write(group, options);
  } catch (error) {
    return group.results.map((result) => (result.kind === 'recorded' ? { kind: 'failed', error } : result));
  }
  return group.results;
}

/** Throws with a `code` when the decision of the first task cannot be read. */
function gather(tasks: readonly LabelTask[], reader: HistoryReader): Group {
  const group: { segment: SegmentName | null } & Group = { segment: null, rows: [], results: [] };
  for (const task of tasks) {
    let decision: LabelledText | null;
    try {
      decision = reader.find(task.id);
    } catch (error) {
      // It is the first of the next group then, and its own failure.
      if (group.results.length > 0) break;
      throw error;
    }
    const place = decision === null ? null : toPlace(decision.position);
    if (decision === null || place === null) {
      group.results.push({ kind: 'unknown_decision' });
      continue;
    }
    const { segment, seq } = place;
    // What is read of a decision does not show a label that is not written yet.
    const isOver = group.rows.some((row) => row.seq === seq);
    if ((group.segment !== null && group.segment !== segment) || isOver) break;
    const said = tryLabel(decision.labels, task.label, task.isTimeGiven, task.seen);
    if (said.kind === 'unchanged') group.results.push({ kind: said.kind, decision });
    else if (said.kind !== 'recorded') group.results.push({ kind: said.kind });
    else {
      const { labels } = said;
      group.segment = segment;
      group.rows.push({ seq, labels, isFirst: decision.labels.length === 0 });
      group.results.push({ kind: 'recorded', decision: { ...decision, labels } });
    }
  }
  return group;
}

function write({ segment, rows }: Group, { open, onLabelled }: LabelWriterOptions): void {
  if (segment === null) return;
  const db = open(segment);
  try {
    db.exec('BEGIN IMMEDIATE');
    const insert = db.prepare(INSERT);
    for (const { seq, labels } of rows)
      insert.run(labelInForce(labels) ?? NOT_LABELLED, JSON.stringify(labels), seq);
    db.exec('COMMIT');
  } finally {
    // What is not committed is undone.
    db.close();
  }
  for (const { seq, isFirst } of rows) onLabelled(segment, seq, isFirst);
}
