import type { Logger } from 'pino';
import type { Clock } from '../../application/clock.ts';
import type { DecisionLogReader, DecisionSink } from '../../application/decision-log/decision-log.ts';
import type { PolicyTexts } from '../../application/decision-log/policy-texts.ts';
import type { ClassQuestion } from '../../domain/backtest/class-question.ts';
import type { BacktestTally } from '../../domain/backtest/tally.ts';
import type { Settings, SettingValues } from '../../platform/setting.ts';
import type { ConnectionHealth } from '../redis/guard.ts';
import type { RedisHandle } from '../redis/handle.ts';

/** What a sink is opened with, beside its own settings. */
export interface SinkContext {
  /** Whether answers wait for the records: an append is then true only when its batch is durable. */
  readonly isStrict: boolean;
  /** The longest that an answer waits for its record. */
  readonly timeoutMs: number;
  /** How long hours are counted, for a sink that can be read. */
  readonly countsKeptMs: number;
  /**
   * Whether the sink removes what is past its retention: a service does. A command never does, whose settings
   * may be other than those of the service.
   */
  readonly removesOld: boolean;
  readonly clock: Clock;
  readonly newId: () => string;
  readonly logger: Logger;
  /**
   * Opens a handle to the configured Redis whose commands end in the time that an append may take. Its state
   * is logged; the sink closes it. Throws unless the definition says that the sink needs Redis.
   */
  readonly openRedis: (name: string) => RedisHandle;
  /** Takes text for standard output. */
  readonly write: (text: string) => void;
}

/** A sink that is open. */
export interface OpenSink {
  readonly sink: DecisionSink;
  /** Reads what the sink holds; null exactly where the definition says that it cannot be read. */
  readonly reader: DecisionLogReader | null;
  /** The texts of policies beside the records; null exactly where it cannot be read. */
  readonly policies: PolicyTexts | null;
  /** Of its connection to Redis; null without one. */
  health(): ConnectionHealth | null;
  /** Closes the sink after what is under way, then everything behind it. Never rejects. */
  close(): Promise<void>;
}

/** A log that is open for reading alone. */
export interface OpenReader extends Pick<OpenSink, 'policies' | 'close'> {
  readonly reader: Pick<DecisionLogReader, 'query' | 'find' | 'labelsOf' | 'readAfter' | 'newest'>;
}

/** A file that was looked at. */
export interface VerifiedFile {
  readonly file: string;
  readonly records: number;
  readonly bytes: number;
  /** What is wrong with it, one line each, without a part of a record. */
  readonly problems: readonly string[];
}

/** A file that was rebuilt, or left as it was. */
export interface CompactedFile {
  readonly file: string;
  readonly bytesBefore: number;
  /** The same where it would not have become smaller. */
  readonly bytesAfter: number;
  /** Why it was left as it was though it should not be; null where nothing is wrong. */
  readonly problem: string | null;
}

/** Counts decisions class by class, in parts of a log that threads can share. */
interface ClassScanner<Values> {
  /** The parts that may have decisions of a time, newest first. Throws where there is nothing to read. */
  parts(settings: Values, filter: Pick<ClassQuestion['filter'], 'since'>): readonly string[];
  /**
   * Counts the decisions of some parts in this thread, also beside a service; yields how many entries were looked
   * at since it yielded before. Throws with a `code` where one cannot be read.
   */
  scan(
    settings: Values,
    parts: Iterable<string>,
    question: ClassQuestion,
    tally: BacktestTally,
  ): Generator<number>;
  /** The text of a policy; null where it is not kept. Throws with a `code`. */
  policyText(settings: Values, hash: string): string | null;
}

/** What a command may do with what a sink keeps, without a service and beside one. */
export interface Upkeep<Values> {
  /** Reads beside a service that writes. Rejects where there is nothing to read. */
  openReader(settings: Values, context: SinkContext): Promise<OpenReader>;
  /** Looks at every file, also beside a service; `isQuick` compares no index. Throws where there are none. */
  verify(settings: Values, isQuick: boolean): Iterable<VerifiedFile>;
  /** Makes files smaller that are written no more. Throws where a service has them. */
  compact(settings: Values): Iterable<CompactedFile>;
  readonly classes: ClassScanner<Values>;
}

/** Everything riskgate needs to know of one place where records of decisions go. */
export interface SinkDefinition<Values = Readonly<Record<string, unknown>>> {
  /** Lower snake case: its name in `DECISION_LOG`, a label of metrics and gap records. */
  readonly id: string;
  /** One that is neither optional nor has a default is required where `DECISION_LOG` names the sink. */
  readonly variables: Settings;
  /** True where an appended batch can survive the process: only such a sink can be waited for. */
  readonly isDurable: boolean;
  /** True where the sinks of all replicas write to one place, and most likely fail together. */
  readonly isShared: boolean;
  /**
   * True where the log can be read from it. It is read from the first named sink that is readable and shared,
   * else from the first named one that is readable, else from the fallback.
   */
  readonly isReadable: boolean;
  /**
   * True for the one readable sink that needs no settings: it is read, named or not, where nothing else that
   * is named can be.
   */
  readonly isFallback: boolean;
  /** True where each record is appended at once and in place, so that none has to wait in a buffer. */
  readonly isImmediate: boolean;
  /** True where it writes to the Redis of the configuration. */
  readonly needsRedis: boolean;
  /** Why the service cannot start with these settings, one line each; asked before anything is opened. */
  check(settings: Values): readonly string[];
  /** Of a sink that a single process has to itself: others can be opened several times. Loads its code. */
  loadUpkeep?(): Promise<Upkeep<Values>>;
  /** The file of JSON lines that it writes, where it writes one. */
  lineFile?(settings: Values): string;
  /** Rejects when the sink cannot be opened. A remote one connects in the background. */
  open(settings: Values, context: SinkContext): OpenSink | Promise<OpenSink>;
}

/** Checks that `check` and `open` read what the variables parse to, and forgets the types of the settings. */
export function defineSink<const Variables extends Settings>(
  definition: SinkDefinition<SettingValues<Variables>> & { readonly variables: Variables },
): SinkDefinition {
  return definition;
}
