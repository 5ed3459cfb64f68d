import {
  type DecisionLogReader,
  type LogEntry,
  type LogSlice,
  MINUTES_KEPT_MS,
} from '../../../application/decision-log/decision-log.ts';
import type { ChangeListener } from './change-listener.ts';
import { readCounts, readCountVersions } from './counts.ts';
import { countDistinct, group } from './group.ts';
import { KnownShapes } from './known-shapes.ts';
import { addLabelTo, find, labelsOf } from './labels.ts';
import type { ReadPool } from './read-pool.ts';
import { type EntryRow, search, toLogEntry } from './search.ts';
import { rangesBack, rangesOn, readSpans, toPos, toPosition } from './spans.ts';
import { readSubject } from './subject.ts';

/** Steps that the server adds up together: some thousand rows. */
const STEPS_TOGETHER = 8;

interface HistoryReaderOptions {
  readonly pool: ReadPool;
  readonly changes: ChangeListener;
  /** Whether a label counts as kept only when the server has it on its disk. */
  readonly isSynced: boolean;
}

/** Reads what every replica has appended. */
export function createHistoryReader({ pool, changes, isSynced }: HistoryReaderOptions): DecisionLogReader {
  const store = { pool, shapes: new KnownShapes(pool) };
  return {
    stepsTogether: STEPS_TOGETHER,
    minutesKeptMs: MINUTES_KEPT_MS,
    query: (filter, options) => search(store, filter, options),
    find: (id) => find(pool, id),
    labelsOf: (entries) => labelsOf(pool, entries),
    readAfter: (position, limit) => readAfter(pool, position, limit),
    newest: () => readNewest(pool),
    counts: (options) => readCounts(store, options),
    countVersions: (span) => readCountVersions(store, span),
    group: (question) => group(store, question),
    distinct: (filter) => countDistinct(store, filter),
    subject: (part, hash) => readSubject(store, part, hash),
    label: (id, label, isTimeGiven, seen = null) =>
      addLabelTo(pool, isSynced, id, { label, isTimeGiven, seen }),
    version: async () => {
      const [last] = await pool.rows<{ change: number }>(
        'SELECT change FROM riskgate.changes WHERE hour = -1',
      );
      return String(last?.change ?? 0);
    },
    onChange: (listener) => changes.listen(listener),
  };
}

async function readNewest(pool: ReadPool): Promise<string | null> {
  for (const { begins, ends } of rangesBack(await readSpans(pool))) {
    const [row] = await pool.rows<{ pos: number | null }>(
      `SELECT max(pos) AS pos FROM riskgate.entries WHERE pos >= ${begins} AND pos < ${ends}`,
    );
    if (row !== undefined && row.pos !== null) return toPosition(row.pos);
  }
  return null;
}

async function readAfter(pool: ReadPool, position: string | null, limit: number): Promise<LogSlice> {
  const asked = position === null ? null : toPos(position);
  const after = asked ?? -1;
  const spans = await readSpans(pool);
  const isGap = position !== null && (asked === null || !(await holds(pool, asked)));
  let entries: readonly LogEntry[] = [];
  for (const { begins, ends } of rangesOn(spans.filter((span) => span.ends > after))) {
    const rows = await pool.rows<EntryRow>(
      `SELECT pos, body FROM riskgate.entries WHERE pos >= ${Math.max(begins, after + 1)} AND pos < ${ends}
        ORDER BY pos LIMIT ${limit}`,
    );
    entries = rows.map(toLogEntry);
    if (entries.length > 0) break;
  }
  return { entries, position: entries.at(-1)?.position ?? (asked === null ? null : position), isGap };
}

/** Whether all that follows a position is still there. */
async function holds(pool: ReadPool, pos: number): Promise<boolean> {
  const rows = await pool.rows(
    `SELECT FROM riskgate.entries, riskgate.spans
      WHERE pos = ${pos} AND begins <= ${pos} AND spans.ends > ${pos} AND NOT is_thinned`,
  );
  return rows.length > 0;
}
