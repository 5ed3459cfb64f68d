import type { DecisionRecord, LogRecord } from '../../domain/decision-log/decision-record.ts';
import type { OutcomeLabel } from '../../domain/decision-log/outcome-label.ts';
import type { Counts } from '../../domain/decision-log/record-counts.ts';
import type { RecordFilter } from '../../domain/decision-log/record-filter.ts';

/** Records that are appended together. The number rises with every batch of a process. */
export interface LogBatch {
  readonly number: number;
  readonly records: readonly LogRecord[];
}

/** Where the log is written to. It never rejects and never throws. */
export interface DecisionSink {
  /** `memory`, `redis`, `file`, `stdout`: a label of metrics and gap records. */
  readonly id: string;
  /** True where an appended batch survives the process. */
  readonly isDurable: boolean;
  /** True where the sinks of all replicas write to one place, and most likely fail together. */
  readonly isShared: boolean;
  /** Appends a batch in its order, all of it or nothing that counts. True when it is kept as well as this sink can; false when that is not known. A batch may then be appended once more, with no other in between, and is kept once. */
  append(batch: LogBatch): boolean | Promise<boolean>;
  /** Ends after what is under way. Never rejects. */
  close(): Promise<void>;
}

/** What became of the records that one sink was to get, as totals since the start. */
export interface DeliveryUsage {
  readonly sink: string;
  readonly appended: number;
  /** Records that the sink lacks, or of answers that were refused for want of a record. */
  readonly dropped: number;
  /** Batches that the sink did not take. */
  readonly failures: number;
  /** Records that wait at the moment. */
  readonly waiting: number;
}

/** Takes records for one sink, and keeps nobody waiting. */
export interface Delivery {
  readonly sink: string;
  deliver(record: LogRecord): void;
  usage(): DeliveryUsage;
  /** Delivers what it can within seconds, and leaves the sink open. Never rejects. */
  close(): Promise<void>;
}

/** `taking` what it gets, in time; `failing`; or `unready`, where this process should not be asked for answers: its sink has taken nothing yet, or is its own and has failed for so long that other replicas do better. */
export type SinkHealth = 'taking' | 'failing' | 'unready';

/** Takes records for one sink, and says when each is durable. */
export interface StrictDelivery {
  readonly sink: string;
  /** True when the record is durable; false when it cannot be, or not in time. Never rejects. */
  deliver(record: LogRecord): Promise<boolean>;
  usage(): DeliveryUsage;
  health(): SinkHealth;
  /** Ends after what is under way. Never rejects. */
  close(): Promise<void>;
}

/** The place of an entry in the log: printable ASCII without spaces, and later entries have greater strings. It stays valid for as long as the log is kept. */
export type LogPosition = string;

export interface LogEntry {
  readonly position: LogPosition;
  readonly record: LogRecord;
}

/** A decision with what was learnt about it since, the latest label last. */
export interface LabelledDecision {
  readonly position: LogPosition;
  readonly record: DecisionRecord;
  readonly labels: readonly OutcomeLabel[];
}

export interface QueryOptions {
  /** Only entries before it; null begins with the newest. */
  readonly before: LogPosition | null;
  readonly limit: number;
}

export interface LogPage {
  /** Newest first. */
  readonly entries: readonly LogEntry[];
  /** Where to go on; null when there is nothing before. A page may hold fewer than its limit, or nothing, and still have a next: one query looks through so many records at most. */
  readonly next: LogPosition | null;
}

export interface LogSlice {
  /** Oldest first. */
  readonly entries: readonly LogEntry[];
  /** Where to go on: the last entry's position, or further where nothing else stands; null for an empty log. */
  readonly position: LogPosition | null;
  /** Entries that followed the position asked for are no longer kept. */
  readonly isGap: boolean;
}

/** Counts of one period, from its beginning. */
export interface CountsOfPeriod {
  /** Unix milliseconds. */
  readonly startMs: number;
  readonly counts: Counts;
}

export interface CountsOptions {
  /** Unix milliseconds; the periods that begin in between, the first inclusive. */
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly period: CountPeriod;
}

/** Minutes and five minutes are counted for a day, hours for as long as the configuration says. Each says of its time what the shorter ones do. */
export type CountPeriod = 'minute' | 'five_minutes' | 'hour';

/** `unchanged`: the same had been said already. `full`: the decision has LABELS_MAX labels. */
export type LabelResult =
  | { readonly kind: 'recorded' | 'unchanged'; readonly decision: LabelledDecision }
  | { readonly kind: 'unknown_decision' }
  | { readonly kind: 'full' };

/** Where the log is read. Everything but `onChange` rejects with `store_unavailable` when the log cannot be reached. */
export interface DecisionLogReader {
  /** Decisions, newest first by when they reached the log, and gap records where the filter says so. */
  query(filter: RecordFilter, options: QueryOptions): Promise<LogPage>;
  find(id: string): Promise<LabelledDecision | null>;
  /** The labels of decisions, by id; those without any are absent. */
  labelsOf(entries: readonly LogEntry[]): Promise<ReadonlyMap<string, readonly OutcomeLabel[]>>;
  /** Entries after a position, of both kinds; null stands before the first entry that is kept. */
  readAfter(position: LogPosition | null, limit: number): Promise<LogSlice>;
  /** The position of the newest entry; null for an empty log. */
  newest(): Promise<LogPosition | null>;
  /** Periods without a decision are absent. */
  counts(options: CountsOptions): Promise<readonly CountsOfPeriod[]>;
  /** A text for each hour from that of `sinceMs` to that before `untilMs`: another one whenever the counts of the hour are others, also because they were lost. */
  countVersions(options: Pick<CountsOptions, 'sinceMs' | 'untilMs'>): Promise<readonly string[]>;
  /** `isTimeGiven`: see addLabel. */
  label(id: string, label: OutcomeLabel, isTimeGiven: boolean): Promise<LabelResult>;
  /** A text that is another whenever the log holds something else, also because something was lost, and otherwise mostly the same. No version ever comes back for another content. Costs one small read for each hour that is kept at most, however many records there are. */
  version(): Promise<string>;
  /** Calls back soon after something was appended, by any replica; several appends may be one call. Returns what ends it. */
  onChange(listener: () => void): () => void;
}

/** Milliseconds of a period. */
export const PERIOD_MS: Readonly<Record<CountPeriod, number>> = {
  minute: 60_000,
  five_minutes: 300_000,
  hour: 3_600_000,
};
/** How long minutes and five minutes are counted. */
export const MINUTES_KEPT_MS = 24 * PERIOD_MS.hour;
