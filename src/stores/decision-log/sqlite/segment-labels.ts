import type { StatementSync } from 'node:sqlite';
import type { DelayedLabel } from '../../../domain/decision-log/group-keys.ts';
import { delayBucketOf } from '../../../domain/decision-log/label-delay.ts';
import { type Label, NOT_LABELLED } from '../../../domain/decision-log/outcome-label.ts';
import { GAP_SHAPE } from './segment-file.ts';
import type { SegmentStatements } from './segment-statements.ts';

/** A labelled decision, without its text. */
export interface LabelRow {
  readonly atMs: number;
  readonly shape: number;
  /** The one in force. */
  readonly label: Label;
}

/** Reads the labels in force with the times of decision and label, in the order of the decisions. */
export const DELAYED_LABELS = `SELECT seq, label, at, history ->> '$[#-1].at' AS said FROM labels
  WHERE label <> '${NOT_LABELLED}' ORDER BY seq`;

/** The labels in force with the time that each took, by the number of the decision. */
export function readDelayedLabels(statement: StatementSync): ReadonlyMap<number, DelayedLabel> {
  return new Map(
    statement.all().map(({ seq, label, at, said }) => {
      const delay = delayBucketOf(Number(at), Date.parse(String(said)));
      return [Number(seq), { label: label as Label, delay }];
    }),
  );
}

/** Reads the labels in force of the decisions whose numbers are in a JSON list. */
export const LABELS_AMONG = `SELECT seq, label FROM json_each(?) CROSS JOIN labels ON labels.seq = value
  WHERE label <> '${NOT_LABELLED}'`;

const LABEL_ROWS = `SELECT labels.at, label, seq, shape FROM labels JOIN entries USING (seq)
  WHERE labels.at >= ? AND labels.at < ? AND label <> '${NOT_LABELLED}'`;
/** The same without their shapes, which are elsewhere in one piece then. */
const LABEL_TIMES = `SELECT at, label, seq FROM labels
  WHERE at >= ? AND at < ? AND label <> '${NOT_LABELLED}'`;

type LabelColumns = readonly [atMs: number, label: Label, seq: number, shape?: number];

/**
 * The labelled decisions from one time to before another. `shapes` has those of all entries, from 1 on, if it is
 * given.
 */
export function readLabelRows(
  statements: SegmentStatements,
  [sinceMs, untilMs]: readonly [number, number],
  shapes: ArrayLike<number> | null,
): LabelRow[] {
  const sql = shapes === null ? LABEL_ROWS : LABEL_TIMES;
  const rows = statements.forRows(sql).all(sinceMs, untilMs) as unknown as readonly LabelColumns[];
  return rows.map(([atMs, label, seq, shape]) => ({
    atMs,
    label,
    shape: shape ?? shapes?.[seq - 1] ?? GAP_SHAPE,
  }));
}
