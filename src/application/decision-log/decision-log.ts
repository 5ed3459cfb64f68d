import type { GroupedDecisions, Grouping } from '../../domain/decision-log/decision-groups.ts';
import type { DecisionRecord, LogRecord } from '../../domain/decision-log/decision-record.ts';
import type { OutcomeLabel } from '../../domain/decision-log/outcome-label.ts';
import type { Counts } from '../../domain/decision-log/record-counts.ts';
import type { RecordFilter } from '../../domain/decision-log/record-filter.ts';
import type { SubjectHistory } from '../../domain/decision-log/subject-history.ts';
import type { SubjectPartName } from '../../domain/decision-log/subject-parts.ts';

/** Records that are appended together. The number rises with each batch of a process. */
export interface LogBatch {
  readonly number: number;
  readonly records: readonly LogRecord[];
}

/** A destination of the log. It never rejects and never throws. */
export interface DecisionSink {
  /** That of its definition: a label of metrics and gap records. */
  readonly id: string;
  /** True where an appended batch survives the process. */
  readonly isDurable: boolean;
  /** True where the sinks of all replicas write to one place, so that they most likely fail together. */
  readonly isShared: boolean;
  /**
   * Appends a batch in order, all or nothing. True when it is kept as safely as this sink can; false when
   * that is not known. The same batch may then be appended again, with no other in between, and is kept once.
   */
  append(batch: LogBatch): boolean | Promise<boolean>;
  /** Closes after the work under way. Never rejects. */
  close(): Promise<void>;
}

/** The totals of one sink since the start. */
export interface DeliveryUsage {
  readonly sink: string;
  readonly appended: number;
  /**
   * Records that the sink lacks, and records of answers that were refused because they could not be recorded.
   */
  readonly dropped: number;
  /** Batches that the sink did not accept. */
  readonly failures: number;
  /** Records that are waiting now. */
  readonly waiting: number;
}

/** Takes records for one sink; answers do not wait for them. */
export interface Delivery {
  readonly sink: string;
  deliver(record: LogRecord): void;
  usage(): DeliveryUsage;
  /** True where the sink takes records, but more slowly than they come: some will be dropped. */
  isBehind(): boolean;
  /** Delivers as much as it can within seconds, and leaves the sink open. Never rejects. */
  close(): Promise<void>;
}

/**
 * `taking`: records become durable in time. `failing`: they do not. `unready`: this process should get no
 * requests, because its sink has accepted nothing yet, or is not shared and has failed for so long that other
 * replicas do better.
 */
export type SinkHealth = 'taking' | 'failing' | 'unready';

/** Takes records for one sink, and tells when each is durable. */
export interface StrictDelivery {
  readonly sink: string;
  /** True when the record is durable; false when it cannot be, or not in time. Never rejects. */
  deliver(record: LogRecord): Promise<boolean>;
  usage(): DeliveryUsage;
  health(): SinkHealth;
  /** Closes after the work under way. Never rejects. */
  close(): Promise<void>;
}

/**
 * The place of an entry in the log: printable ASCII without spaces, and later entries have greater strings.
 * It stays valid for as long as the log is kept.
 */
export type LogPosition = string;

/** A record, and its place in the log. */
export interface LogEntry {
  readonly position: LogPosition;
  readonly record: LogRecord;
}

/** A decision and its labels, the latest last. */
export interface LabelledDecision {
  readonly position: LogPosition;
  readonly record: DecisionRecord;
  readonly labels: readonly OutcomeLabel[];
}

/** Which page of a query is asked for. */
export interface QueryOptions {
  /** Only entries before this position; null begins with the newest. */
  readonly before: LogPosition | null;
  readonly limit: number;
}

/** A page of what was asked for, going back in time. */
export interface LogPage {
  /** Newest first. */
  readonly entries: readonly LogEntry[];
  /**
   * Where the next page begins; null when there are no older entries. A page can hold fewer than its limit,
   * or nothing, and still have a next page: one query looks through a bounded number of records.
   */
  readonly next: LogPosition | null;
}

/** What follows a position, going forward in time. */
export interface LogSlice {
  /** Oldest first. */
  readonly entries: readonly LogEntry[];
  /**
   * Where to continue: the last entry's position, or a later one where no entry follows; null for an empty
   * log.
   */
  readonly position: LogPosition | null;
  /** Entries directly after the requested position are no longer kept. */
  readonly isGap: boolean;
}

/** The counts of one period. */
export interface CountsOfPeriod {
  /** Unix milliseconds. */
  readonly startMs: number;
  readonly counts: Counts;
}

/** Which periods are asked for. */
export interface CountsOptions {
  /** Unix milliseconds: the periods that begin at or after `sinceMs` and before `untilMs`. */
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly period: CountPeriod;
  /**
   * Periods may be added up to steps of so many milliseconds, which begin with the span and with a period;
   * without it they are not.
   */
  readonly stepMs?: number;
}

/**
 * Minutes and five minutes are counted for `minutesKeptMs`, hours for as long as configured. Each counts the
 * same decisions as the shorter ones within it.
 */
export type CountPeriod = 'minute' | 'five_minutes' | 'hour';

/** What is grouped, and how. */
export interface GroupQuestion extends Grouping {
  /** Its `since` is `sinceMs`, and its `until` is there too, at a whole minute. */
  readonly filter: RecordFilter;
}

/** How many different subjects of each part decisions were about. */
export interface DistinctSubjects {
  /** To within 3 %. */
  readonly subjects: Readonly<Record<SubjectPartName, number>>;
  /** See GroupedDecisions. */
  readonly coveredFromMs: number | null;
}

/** See tryLabel. */
export type LabelResult<Decision = LabelledDecision> =
  | { readonly kind: 'recorded' | 'unchanged'; readonly decision: Decision }
  | { readonly kind: 'unknown_decision' }
  | { readonly kind: 'changed' }
  | { readonly kind: 'full' };

/**
 * Reads the log. Everything except `onChange` rejects with `store_unavailable` when the log cannot be
 * reached.
 */
export interface DecisionLogReader {
  /** Steps of counts that one call adds up elsewhere, so that they hold the event loop for moments only. */
  readonly stepsTogether: number;
  /** How long minutes and five minutes are counted, milliseconds, at most. */
  readonly minutesKeptMs: number;
  /** Decisions, newest first by their arrival in the log, and gap records where the filter includes them. */
  query(filter: RecordFilter, options: QueryOptions): Promise<LogPage>;
  find(id: string): Promise<LabelledDecision | null>;
  /** The labels of decisions, by id; those without any are absent. */
  labelsOf(entries: readonly LogEntry[]): Promise<ReadonlyMap<string, readonly OutcomeLabel[]>>;
  /** Entries of both kinds after a position; null is the position before the first entry that is kept. */
  readAfter(position: LogPosition | null, limit: number): Promise<LogSlice>;
  /** The position of the newest entry; null for an empty log. */
  newest(): Promise<LogPosition | null>;
  /** Periods without a decision are absent. */
  counts(options: CountsOptions): Promise<readonly CountsOfPeriod[]>;
  /**
   * A version for each hour from that of `sinceMs` to that before `untilMs`. It changes whenever the counts
   * of the hour change, also when they are lost.
   */
  countVersions(options: Pick<CountsOptions, 'sinceMs' | 'untilMs'>): Promise<readonly string[]>;
  /** Counts the decisions that match a filter, by the values of up to two keys. */
  group(question: GroupQuestion): Promise<GroupedDecisions>;
  /** Counts the subjects of decisions that match a filter, whose times are whole minutes. */
  distinct(filter: RecordFilter): Promise<DistinctSubjects>;
  /** What is known of the subject with this hash, from its latest decisions; null where there are none. */
  subject(part: SubjectPartName, hash: string): Promise<SubjectHistory | null>;
  /** See tryLabel: what was seen and what is written is one step. `seen` is null unless given. */
  label(id: string, label: OutcomeLabel, isTimeGiven: boolean, seen?: number | null): Promise<LabelResult>;
  /**
   * A version of the whole log. It changes whenever the content changes, also by a loss, and seldom
   * otherwise. A version never returns for other content. Costs at most one small read for each hour that is
   * kept, for any number of records.
   */
  version(): Promise<string>;
  /**
   * Calls back soon after an append by any replica; several appends may be one call. Returns a function that
   * unsubscribes.
   */
  onChange(listener: () => void): () => void;
}

/** Milliseconds of a period. */
export const PERIOD_MS: Readonly<Record<CountPeriod, number>> = {
  minute: 60_000,
  five_minutes: 300_000,
  hour: 3_600_000,
};
/** How long a log without tables keeps the counts of minutes and five minutes. */
export const MINUTES_KEPT_MS = 24 * PERIOD_MS.hour;
