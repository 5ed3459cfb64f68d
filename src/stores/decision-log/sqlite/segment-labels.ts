import type { StatementSync } from 'node:sqlite';
import type { DelayedLabel } from '../../../domain/decision-log/group-keys.ts';
import { delayBucketOf } from '../../../domain/decision-log/label-delay.ts';
import { type Label, NOT_LABELLED } from '../../../domain/decision-log/outcome-label.ts';

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

/** Reads the labelled decisions from one time to before another. */
export const LABEL_ROWS = `SELECT labels.at, shape, label FROM labels JOIN entries USING (seq)
  WHERE labels.at >= ? AND labels.at < ? AND label <> '${NOT_LABELLED}'`;

/** Those of a span. */
export function readLabelRows(statement: StatementSync, sinceMs: number, untilMs: number): LabelRow[] {
  return statement.all(sinceMs, untilMs).map(({ at, shape, label }) => ({
    atMs: Number(at),
    shape: Number(shape),
    label: label as Label,
  }));
}
