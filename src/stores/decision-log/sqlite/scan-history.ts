import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { ClassQuestion } from '../../../domain/backtest/class-question.ts';
import type { BacktestTally } from '../../../domain/backtest/tally.ts';
import { toHistoryDirectory } from './history-directory.ts';
import { ClassScan } from './scan-classes.ts';
import { NO_TABLES, openForReading } from './segment-file.ts';
import { fileOfSegment, segmentsIn } from './segment-files.ts';
import { dayMsOf, type SegmentName } from './segment-name.ts';

const DAY_MS = 86_400_000;

/** The segments of a history that may have decisions of a time, newest first. Throws where there is none. */
export function segmentsToScan(
  dataDirectory: string,
  { since }: Pick<ClassQuestion['filter'], 'since'>,
): readonly SegmentName[] {
  const directory = toHistoryDirectory(dataDirectory);
  if (!existsSync(directory)) throw new Error(`DATA_DIR ${dataDirectory}: holds no history`);
  const sinceMs = since === undefined ? 0 : Date.parse(since);
  // The name never falls, also where a clock does: what was decided later may stand in it.
  return segmentsIn(directory)
    .reverse()
    .filter((name) => dayMsOf(name) + DAY_MS * 2 > sinceMs);
}

/**
 * Counts the decisions of some segments in this thread, beside a service that writes to them; yields how many
 * entries were looked at since it yielded before. Throws with a `code` where one cannot be read.
 */
export function* scanHistory(
  dataDirectory: string,
  segments: Iterable<SegmentName>,
  question: ClassQuestion,
  tally: BacktestTally,
): Generator<number> {
  const scan = new ClassScan(question, tally);
  for (const name of segments) {
    const db = openSegment(toHistoryDirectory(dataDirectory), name);
    if (db === null) continue;
    try {
      // What is appended meanwhile is not seen in parts.
      db.exec('BEGIN');
      yield* scan.scan(db);
    } finally {
      db.close();
    }
  }
}

/** Null for one that was removed meanwhile, or that its writer is making. */
function openSegment(directory: string, name: SegmentName): DatabaseSync | null {
  const path = join(directory, fileOfSegment(directory, name));
  try {
    return openForReading(path);
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'code') : null;
    if (code === NO_TABLES || !existsSync(path)) return null;
    throw error;
  }
}
