import type {
  LabelledDecision,
  LabelResult,
  LogEntry,
} from '../../../application/decision-log/decision-log.ts';
import {
  labelInForce,
  NOT_LABELLED,
  type OutcomeLabel,
  tryLabel,
} from '../../../domain/decision-log/outcome-label.ts';
import { RiskgateError } from '../../../domain/errors.ts';
import { toUuid } from './entry-rows.ts';
import type { ReadPool } from './read-pool.ts';
import { type EntryRow, toLogEntry } from './search.ts';
import type { PositionRange } from './search-sources.ts';
import { rangesBack, readSpans, toPos, toPosition } from './spans.ts';

/** How long a record may have waited for the log while it is looked for at the time of its id. */
const USUAL_DELAY_MS = 600_000;
/** Labels of one decision that are given at the same time. */
const ATTEMPTS = 5;

interface FoundRow extends EntryRow {
  readonly history: string | null;
}

/** A decision as it is kept, and the text of its labels; null without any. */
interface Found {
  readonly decision: LabelledDecision;
  readonly pos: number;
  readonly history: string | null;
}

/** The decision and its labels; null where there is none of this id. Rejects with `store_unavailable`. */
export async function find(pool: ReadPool, id: string): Promise<LabelledDecision | null> {
  return (await findRow(pool, id))?.decision ?? null;
}

async function findRow(pool: ReadPool, id: string): Promise<Found | null> {
  const madeMs = Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16);
  const usual = { from: (madeMs - USUAL_DELAY_MS) * 1000, below: (madeMs + USUAL_DELAY_MS) * 1000 };
  // A UUIDv7 says when it was made; a record that had to wait, or an id of another make, is looked for
  // everywhere.
  if (Number.isSafeInteger(usual.below)) {
    const found = await findWithin(pool, id, usual);
    if (found !== null) return found;
  }
  for (const { begins, ends } of rangesBack(await readSpans(pool))) {
    const found = await findWithin(pool, id, { from: begins, below: ends });
    if (found !== null) return found;
  }
  return null;
}

async function findWithin(pool: ReadPool, id: string, { from, below }: PositionRange): Promise<Found | null> {
  const rows = await pool.rows<FoundRow>(
    `SELECT pos, body, history FROM riskgate.entries LEFT JOIN riskgate.labels USING (pos)
      WHERE id = $1 AND pos >= ${from} AND pos < ${below} ORDER BY pos DESC`,
    [toUuid(id)],
  );
  for (const row of rows) {
    const { position, record } = toLogEntry(row);
    if (record.kind !== 'decision' || record.decision_id !== id) continue;
    const { pos, history } = row;
    return { decision: { position, record, labels: parseLabels(history) }, pos, history };
  }
  return null;
}

/** The labels of decisions by id. Rejects with `store_unavailable`. */
export async function labelsOf(
  pool: ReadPool,
  entries: readonly LogEntry[],
): Promise<ReadonlyMap<string, readonly OutcomeLabel[]>> {
  const ids = new Map<string, string>();
  for (const { position, record } of entries)
    if (record.kind === 'decision') ids.set(position, record.decision_id);
  const positions = [...ids.keys()].map(toPos);
  const rows = await pool.rows<{ pos: number; history: string }>(
    'SELECT pos, history FROM riskgate.labels WHERE pos = ANY ($1)',
    [positions],
  );
  return new Map(rows.map(({ pos, history }) => [ids.get(toPosition(pos)) ?? '', parseLabels(history)]));
}

interface GivenLabel {
  readonly label: OutcomeLabel;
  readonly isTimeGiven: boolean;
  readonly seen: number | null;
}

/** Adds a label to a decision. Rejects with `store_unavailable`, and with `conflict`. */
export async function addLabelTo(
  pool: ReadPool,
  isSynced: boolean,
  id: string,
  { label, isTimeGiven, seen }: GivenLabel,
): Promise<LabelResult> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const found = await findRow(pool, id);
    if (found === null) return { kind: 'unknown_decision' };
    const { decision, pos, history } = found;
    const given = tryLabel(decision.labels, label, isTimeGiven, seen);
    if (given.kind === 'unchanged') return { kind: given.kind, decision };
    if (given.kind !== 'recorded') return { kind: given.kind };
    const { labels } = given;
    const [said] = await pool.rows<{ is_kept: boolean }>(
      'SELECT riskgate.set_labels($1, $2, $3, $4, $5) AS is_kept',
      [pos, history, labelInForce(labels) ?? NOT_LABELLED, JSON.stringify(labels), isSynced],
    );
    if (said?.is_kept === true) return { kind: 'recorded', decision: { ...decision, labels } };
  }
  throw new RiskgateError('conflict', 'The labels of a decision changed too often.', {
    publicDetail: 'Others label the same decision at this moment. Try again.',
  });
}

function parseLabels(history: string | null): readonly OutcomeLabel[] {
  return history === null ? [] : (JSON.parse(history) as readonly OutcomeLabel[]);
}
