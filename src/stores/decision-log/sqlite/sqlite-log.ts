import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { Clock } from '../../../application/clock.ts';
import type {
  DecisionLogReader,
  DecisionSink,
  LabelledDecision,
  LogBatch,
  LogEntry,
} from '../../../application/decision-log/decision-log.ts';
import type { PolicyTexts } from '../../../application/decision-log/policy-texts.ts';
import type { DecisionRecord, LogRecord } from '../../../domain/decision-log/decision-record.ts';
import { createRecordPacker } from '../../../domain/decision-log/packed-records.ts';
import { RiskgateError } from '../../../domain/errors.ts';
import { createRemoteWorker, type RemoteWorker } from '../../../platform/remote-worker.ts';
import { ContentVersions } from './content-versions.ts';
import type { LabelledText, TextEntry } from './history-reader.ts';
import type { HistoryThread, ReadingThread, WritingThread } from './history-worker.ts';
import type { HistoryOptions } from './history-writer.ts';
import { LabelQueue } from './label-queue.ts';
import { SummaryPace } from './summary-pace.ts';

interface SqliteLogOptions {
  readonly history: HistoryOptions;
  readonly clock: Clock;
  readonly onEvent: (event: SqliteLogEvent) => void;
}

/** What an operator wants to read of a history in a log. Codes are those of SQLite or of the system. */
export type SqliteLogEvent =
  | { readonly kind: 'failed'; readonly code: string }
  | { readonly kind: 'recovered' }
  /** A day could not be thinned, and stays whole. */
  | { readonly kind: 'kept'; readonly code: string | number }
  | { readonly kind: 'tidied'; readonly removed_files: number; readonly thinned_files: number };

/** A log that one process keeps in files, and reads. */
interface SqliteLog extends DecisionSink, DecisionLogReader {
  readonly policies: PolicyTexts;
}

/** SQLITE_BUSY. */
const LOCKED = 'SQLITE_5';
const WORKER = new URL('./history-worker.ts', import.meta.url);
/** How often is looked whether something is too old or too much. */
const TIDY_MS = 60_000;
/** Between steps of tidying: they take a fifth of the writing thread. */
const STEP_PAUSE_MS = 40;
/** Some thousand counts, which are taken over from the other thread in milliseconds. */
const STEPS_TOGETHER = 32;

/** Opens the history. Rejects when its directory or its newest file cannot be written. */
export async function openSqliteLog(options: SqliteLogOptions): Promise<SqliteLog> {
  const log = new ThreadedLog(options);
  await log.open();
  return log;
}

class ThreadedLog implements SqliteLog {
  readonly id = 'sqlite';
  readonly isDurable: boolean;
  readonly isShared = false;
  readonly #options: SqliteLogOptions;
  readonly #writer: RemoteWorker<WritingThread>;
  readonly #reader: RemoteWorker<ReadingThread>;
  /**
   * Reads for streams alone, from the first one on: a count over millions of records holds up the other thread for
   * a second.
   */
  #follower: RemoteWorker<ReadingThread> | null = null;
  readonly #versions = new ContentVersions();
  readonly #listeners = new Set<() => void>();
  /** Tells the batches of this process from those of an earlier one. */
  readonly #process = randomUUID();
  readonly #pack = createRecordPacker();
  readonly #labels = new LabelQueue((tasks) => this.#writer.call('labelAll', tasks));
  readonly #summaries: SummaryPace;
  readonly #timer: NodeJS.Timeout;
  #isFailing = false;
  #isTidying = false;
  #isClosed = false;

  constructor(options: SqliteLogOptions) {
    const { history } = options;
    const { directory, isSynced } = history;
    this.#options = options;
    this.isDurable = isSynced;
    this.#writer = createRemoteWorker<WritingThread>(WORKER, toThread({ kind: 'writer', options: history }));
    this.#reader = createReader(directory);
    this.#summaries = new SummaryPace(() => this.#reader.call('summarise'));
    this.#timer = setInterval(() => void this.#tidy(), TIDY_MS).unref();
  }

  async open(): Promise<void> {
    try {
      await this.#writer.call(
        'append',
        { writer: this.#process, number: 0, ...this.#pack([]) },
        this.#nowMs(),
      );
    } catch (error) {
      await this.close();
      throw new Error(`DATA_DIR: ${whyClosed(codeOf(error))}`, { cause: error });
    }
  }

  async append({ number, records }: LogBatch): Promise<boolean> {
    if (this.#isClosed) return false;
    const batch = { writer: this.#process, number, ...this.#pack(records) };
    let removed: number;
    try {
      removed = await this.#writer.call('append', batch, this.#nowMs());
    } catch (error) {
      if (!this.#isFailing) this.#options.onEvent({ kind: 'failed', code: codeOf(error) });
      this.#isFailing = true;
      return false;
    }
    if (this.#isFailing) this.#options.onEvent({ kind: 'recovered' });
    this.#isFailing = false;
    this.#versions.change(records);
    if (removed > 0) {
      this.#tellTidied(removed, 0);
      // Many can make room within a minute, and the disk has their bytes until they are freed.
      void this.#free().catch(() => {});
    }
    this.#tell();
    return true;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#summaries.stop();
    this.#listeners.clear();
    await Promise.all([this.#writer.close(), this.#reader.close(), this.#follower?.close()]);
  }

  readonly query: DecisionLogReader['query'] = async (filter, options) => {
    const { entries, next } = await this.#read((reader) => reader.call('query', filter, options));
    return { entries: entries.map(toLogEntry), next };
  };

  readonly stepsTogether = STEPS_TOGETHER;
  /** As long as the records. */
  readonly minutesKeptMs = Number.POSITIVE_INFINITY;

  readonly policies: PolicyTexts = {
    keep: async (hash, text) => {
      if (this.#isClosed) return false;
      return this.#writer.call('keepPolicy', hash, text).then(
        () => true,
        () => false,
      );
    },
    find: (hash) => this.#read((reader) => reader.call('policy', hash)),
  };

  readonly find: DecisionLogReader['find'] = async (id) => {
    const found = await this.#read((reader) => reader.call('find', id));
    return found === null ? null : toLabelledDecision(found);
  };

  readonly labelsOf: DecisionLogReader['labelsOf'] = async (entries) => {
    const decisions = entries.flatMap(({ position, record }) =>
      record.kind === 'decision' ? [{ position, id: record.decision_id }] : [],
    );
    const positions = decisions.map(({ position }) => position);
    const found = await this.#read((reader) => reader.call('labelsAt', positions));
    const labels = decisions.map(({ id }, place) => [id, found[place] ?? []] as const);
    return new Map(labels.filter(([, history]) => history.length > 0));
  };

  readonly readAfter: DecisionLogReader['readAfter'] = async (position, limit) => {
    const slice = await this.#follow((reader) => reader.call('readAfter', position, limit));
    return { ...slice, entries: slice.entries.map(toLogEntry) };
  };

  readonly newest: DecisionLogReader['newest'] = () => this.#follow((reader) => reader.call('newest'));

  readonly counts: DecisionLogReader['counts'] = (options) =>
    this.#read((reader) => reader.call('counts', options));

  readonly countVersions: DecisionLogReader['countVersions'] = async (span) => this.#versions.ofHours(span);

  readonly version: DecisionLogReader['version'] = async () => this.#versions.ofAll();

  readonly group: DecisionLogReader['group'] = (question) =>
    this.#read((reader) => reader.call('group', question));

  readonly distinct: DecisionLogReader['distinct'] = (filter) =>
    this.#read((reader) => reader.call('distinct', filter));

  readonly subject: DecisionLogReader['subject'] = (part, hash) =>
    this.#read((reader) => reader.call('subject', part, hash));

  readonly label: DecisionLogReader['label'] = async (id, label, isTimeGiven, seen = null) => {
    const said = await this.#read(() => this.#labels.add({ id, label, isTimeGiven, seen }));
    if (said.kind !== 'recorded' && said.kind !== 'unchanged') return { kind: said.kind };
    const decision = toLabelledDecision(said.decision);
    if (said.kind === 'recorded') {
      this.#versions.change([decision.record]);
      this.#tell();
    }
    return { kind: said.kind, decision };
  };

  readonly onChange: DecisionLogReader['onChange'] = (listener) => {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  };

  #nowMs(): number {
    return this.#options.clock.nowMs();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  async #read<Value>(ask: (reader: RemoteWorker<ReadingThread>) => Promise<Value>): Promise<Value> {
    try {
      return await ask(this.#reader);
    } catch (error) {
      throw new RiskgateError('store_unavailable', `The history cannot be read: ${codeOf(error)}.`);
    }
  }

  #follow<Value>(ask: (reader: RemoteWorker<ReadingThread>) => Promise<Value>): Promise<Value> {
    this.#follower ??= createReader(this.#options.history.directory);
    const follower = this.#follower;
    return this.#read(() => ask(follower));
  }

  async #tidy(): Promise<void> {
    // Thinning goes on for long where much is labelled, and appends remove files meanwhile.
    if (this.#isTidying) return this.#free().catch(() => {});
    this.#isTidying = true;
    try {
      while (!this.#isClosed) {
        const { removed, thinned, kept, isMore } = await this.#writer.call('tidy', this.#nowMs());
        if (removed > 0 || thinned > 0) this.#tellTidied(removed, thinned);
        if (kept !== null) this.#options.onEvent({ kind: 'kept', code: kept });
        if (!isMore) {
          void this.#summaries.makeAll();
          await this.#free();
          return;
        }
        await delay(STEP_PAUSE_MS, undefined, { ref: false });
      }
    } catch {
      // The next append meets the same disk, and says so.
    } finally {
      this.#isTidying = false;
    }
  }

  #tellTidied(removed: number, thinned: number): void {
    this.#versions.changeAll();
    this.#options.onEvent({ kind: 'tidied', removed_files: removed, thinned_files: thinned });
  }

  /** Gives the disk back what removed files had. A call after the end would start a thread again. */
  async #free(): Promise<void> {
    for (const reader of [this.#reader, this.#follower])
      if (!this.#isClosed) await reader?.call('closeRemoved');
    if (!this.#isClosed) await this.#writer.call('free');
  }
}

function createReader(directory: string): RemoteWorker<ReadingThread> {
  return createRemoteWorker<ReadingThread>(WORKER, toThread({ kind: 'reader', directory }));
}

function toThread(thread: HistoryThread): HistoryThread {
  return thread;
}

function toLogEntry({ position, text }: TextEntry): LogEntry {
  return { position, record: JSON.parse(text) as LogRecord };
}

function toLabelledDecision({ position, text, labels }: LabelledText): LabelledDecision {
  // Only decisions are found by their ids.
  return { position, record: JSON.parse(text) as DecisionRecord, labels };
}

function whyClosed(code: string): string {
  if (code === LOCKED) return 'another process writes to this history';
  return `the history cannot be opened (${code})`;
}

function codeOf(error: unknown): string {
  return String((error instanceof Error && Reflect.get(error, 'code')) || 'ERROR');
}
