import type { DecisionRecord } from '../decision-log/decision-record.ts';
import type { RecordFilter } from '../decision-log/record-filter.ts';
import type { BacktestOutcome } from './judge-record.ts';
import type { RecordClasses } from './record-classes.ts';

/** What a log is asked that counts decisions class by class. */
export interface ClassQuestion {
  readonly classes: RecordClasses;
  readonly filter: RecordFilter;
  /** Judges a record: one of each class. */
  readonly judge: (record: DecisionRecord) => BacktestOutcome;
}
