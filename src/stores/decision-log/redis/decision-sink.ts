import type { Clock } from '../../../application/clock.ts';
import type { DecisionSink, LogBatch } from '../../../application/decision-log/decision-log.ts';
import { MINUTES_KEPT_MS, PERIOD_MS } from '../../../application/decision-log/decision-log.ts';
import type { DecisionRecord, LogRecord } from '../../../domain/decision-log/decision-record.ts';
import { DecisionTally } from '../../../domain/decision-log/decision-tally.ts';
import { createRecordTexts } from '../../../domain/decision-log/record-text.ts';
import {
  SUBJECT_PARTS,
  type SubjectPartName,
  searchedHashesOf,
} from '../../../domain/decision-log/subject-parts.ts';
import { LineBuffer } from '../../../platform/line-buffer.ts';
import type { RedisHandle } from '../../redis/handle.ts';
import { newChange } from './decision-changes.ts';
import { HOUR_MS, hourOf, minuteOf } from './decision-position.ts';
import { withDecisionScripts } from './decision-scripts.ts';

/** What the sink writes to, and what it keeps. */
export interface RedisDecisionOptions {
  readonly redis: RedisHandle;
  readonly clock: Clock;
  /** Names this process: no other writer may ever have the same. */
  readonly writer: string;
  /** Records of one hour that are kept, about. */
  readonly hourRecordsMax: number;
  readonly recordsKeptMs: number;
  readonly countsKeptMs: number;
}

/**
 * The hour that was meant may be over, the next one may be early by the clock of its node, and then one must
 * fit.
 */
const ATTEMPTS = 4;
/** A batch of 256 records. */
const BLOCK_BYTES = 1024 * 1024;

/**
 * Appends to the stream of the present hour. A batch is kept when Redis has acknowledged it; how safe it is
 * then depends on its own persistence.
 */
export function createRedisDecisionSink(options: RedisDecisionOptions): DecisionSink {
  const { redis, clock } = options;
  const scripted = withDecisionScripts(redis.client);
  let offsetMs = 0;
  let underWay: Promise<unknown> = Promise.resolve();
  /** Where a batch was sent whose fate is not known. */
  let unknown: { readonly number: number; readonly hour: number } | null = null;
  const textOf = createRecordTexts();
  /**
   * The block that no command uses. New memory for each batch is collected only with the whole heap, which
   * cost more than all the rest.
   */
  let spare: LineBuffer | null = new LineBuffer(BLOCK_BYTES);

  const append = async (batch: LogBatch): Promise<boolean> => {
    let hour = unknown?.number === batch.number ? unknown.hour : hourOf(clock.nowMs() + offsetMs);
    for (let attempt = 0; attempt < ATTEMPTS && redis.guard.admits(); attempt += 1) {
      const lines = spare ?? new LineBuffer(BLOCK_BYTES);
      spare = null;
      for (const record of batch.records) lines.add(textOf(record));
      const words = toWords(batch, lines.take(), hour, options);
      const reply = await redis.guard.run(() => scripted.appendDecisions(...words));
      if (reply === null) {
        // The connection may still send it, so that the block is not used again.
        unknown = { number: batch.number, hour };
        return false;
      }
      spare = lines;
      const [status, serverMs] = reply;
      offsetMs = serverMs - clock.nowMs();
      if (status === 'kept') {
        unknown = null;
        return true;
      }
      hour = hourOf(serverMs);
    }
    return false;
  };

  return {
    id: 'redis',
    isDurable: true,
    isShared: true,
    append: (batch) => {
      const appended = append(batch);
      underWay = appended;
      return appended;
    },
    close: async () => {
      await underWay;
    },
  };
}

function toWords(
  batch: LogBatch,
  lines: Buffer,
  hour: number,
  options: RedisDecisionOptions,
): (string | Buffer)[] {
  const { redis, writer } = options;
  const keys = redis.keys.decisions(hour);
  const endMs = (hour + 1) * HOUR_MS;
  const decisions = batch.records.filter((record) => record.kind === 'decision');
  const times = decisions.map(({ decided_at: at }) => Date.parse(at));
  return [
    keys.records,
    keys.indexOf,
    keys.changes,
    keys.writers,
    keys.earliest,
    keys.hourCounts,
    keys.minuteCounts,
    keys.fiveMinuteCounts,
    String(endMs),
    writer,
    String(batch.number),
    String(options.hourRecordsMax),
    ...expiries(hour, options),
    times.length === 0 ? '' : String(Math.min(...times)),
    lines,
    batch.records.map((record) => `${toIndexNames(record)}\n`).join(''),
    newChange(),
    ...toCountWords(decisions, times, hour),
  ];
}

/** When the records, the hour counts and the shorter counts of an hour expire, Unix milliseconds. */
export function expiries(
  hour: number,
  { recordsKeptMs, countsKeptMs }: Pick<RedisDecisionOptions, 'recordsKeptMs' | 'countsKeptMs'>,
): string[] {
  const endMs = (hour + 1) * HOUR_MS;
  return [recordsKeptMs, countsKeptMs, Math.min(countsKeptMs, MINUTES_KEPT_MS)].map((keptMs) =>
    String(endMs + keptMs),
  );
}

/**
 * The minute whose counts a decision belongs to. One that reached the log in a later hour is counted at its
 * beginning.
 */
export function countedMinute(timeMs: number, hour: number): number {
  const startMs = hour * HOUR_MS;
  return minuteOf(Math.min(Math.max(timeMs, startMs), startMs + HOUR_MS - PERIOD_MS.minute));
}

function toIndexNames(record: LogRecord): string {
  if (record.kind !== 'decision') return '';
  const { subject } = record;
  const names = [indexName('id', record.decision_id)];
  for (const part of SUBJECT_PARTS)
    for (const hash of searchedHashesOf(subject, part)) names.push(indexName(part, hash));
  return names.join(' ');
}

/** The first letter of index names. */
const INDEX_LETTERS = { id: 'i', telemetry: 't', device: 'd', account: 'a', ip: 'p', visitor: 'v' } as const;

/** What an entry is found by in the index, without the colon and the stream id that follow. */
export function indexName(part: 'id' | SubjectPartName, value: string): string {
  return `${INDEX_LETTERS[part]}:${value}`;
}

function toCountWords(
  decisions: readonly DecisionRecord[],
  times: readonly number[],
  hour: number,
): string[] {
  const minutes = new Map<number, DecisionTally>();
  decisions.forEach((record, place) => {
    const minute = countedMinute(times[place] ?? 0, hour);
    const tally = minutes.get(minute) ?? new DecisionTally();
    tally.add(record);
    minutes.set(minute, tally);
  });
  const words = [String(minutes.size)];
  for (const [minute, tally] of minutes) {
    const counts = tally.read();
    words.push(String(minute), String(counts.size));
    for (const [name, count] of counts) words.push(name, String(count));
  }
  return words;
}
