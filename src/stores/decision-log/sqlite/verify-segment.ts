import { DatabaseSync } from 'node:sqlite';
import { z } from 'zod';
import { outcomeLabelSchema } from '../../../domain/decision-log/outcome-label.ts';
import { countWrongKeys } from './evidence-key.ts';
import { rebuildSegment, removeDatabase } from './rebuild-segment.ts';
import { fromEarlierHashKey } from './record-entry.ts';
import { EVIDENCE_BLOCKS_VERSION, LATER_VERSION, NO_TABLES, openForReading } from './segment-file.ts';
import { SegmentReader } from './segment-reader.ts';

/** What was found of one segment. */
interface VerifiedSegment {
  readonly records: number;
  /** One line each; none where all is well. */
  readonly problems: readonly string[];
}

/**
 * What a rebuilt file says of itself, or holds in another form: labels are not in records, and an earlier version
 * may have taken signals apart in another way.
 */
const NOT_FROM_RECORDS = ['meta', 'labels', 'forms', 'evidence', 'evidence_keys', 'evidence_blocks'];
/** Bytes of these are compressed records and evidence, which are compared as such. */
const PACKED: Readonly<Record<string, readonly string[]>> = {
  blocks: ['body'],
  tail: ['body'],
  evidence_blocks: ['body'],
};
/** Where the rows of another table are those that an earlier version had otherwise. */
const EARLIER_ROWS: Readonly<Record<string, string>> = {
  subjects: '(SELECT subject_key(part, hash) AS key, seq FROM kept.subjects)',
};
const PROBLEMS_MAX = 20;

/**
 * Looks at all of a segment: the file's own structure, every record, and whether whatever is searched and
 * counted is what the records say, by writing them to another file, `scratch`, and comparing the two. Never
 * throws for what is wrong with the segment. `isQuick` leaves the comparison out.
 */
export function verifySegment(path: string, scratch: string, isQuick: boolean): VerifiedSegment {
  let records = 0;
  let isRebuilt = false;
  let version = 0;
  const problems: string[] = [];
  try {
    const db = openForReading(path);
    const reader = new SegmentReader(db);
    try {
      problems.push(...structureOf(db));
      // Of what is left of a day the numbers have holes, and nothing is counted.
      isRebuilt = !isQuick && !reader.isThinned();
      version = reader.version();
      records = isRebuilt ? rebuildSegment(reader, scratch, version) : readAll(reader);
      problems.push(...labelProblems(db));
    } finally {
      reader.close();
    }
    if (isRebuilt && problems.length === 0) problems.push(...differences(path, scratch, version));
  } catch (error) {
    // A process that was killed has left nothing in it.
    if (!(error instanceof Error && Reflect.get(error, 'code') === NO_TABLES)) problems.push(describe(error));
  } finally {
    removeDatabase(scratch);
  }
  return { records, problems };
}

function structureOf(db: DatabaseSync): readonly string[] {
  const rows = db.prepare(`PRAGMA integrity_check(${PROBLEMS_MAX})`).all();
  const said = rows.map((row) => String(row['integrity_check']));
  return said.length === 1 && said[0] === 'ok' ? [] : said.map((line) => `the file is damaged: ${line}`);
}

function readAll(reader: SegmentReader): number {
  let count = 0;
  let last = 0;
  for (let batch = reader.textsAbove(last, 1_000); batch.length > 0; batch = reader.textsAbove(last, 1_000)) {
    for (const [, text] of batch) JSON.parse(text);
    count += batch.length;
    last = batch.at(-1)?.[0] ?? last;
  }
  return count;
}

const labelsSchema = z.array(outcomeLabelSchema).min(1);

function labelProblems(db: DatabaseSync): readonly string[] {
  const problems: string[] = [];
  const lost = db
    .prepare('SELECT count(*) AS n FROM labels WHERE seq NOT IN (SELECT seq FROM entries)')
    .get();
  if (Number(lost?.['n']) > 0)
    problems.push(`labels: ${Number(lost?.['n'])} of decisions that are not there`);
  let unreadable = 0;
  for (const row of db.prepare('SELECT history FROM labels').iterate())
    if (!isLabels(String(row['history']))) unreadable += 1;
  if (unreadable > 0) problems.push(`labels: ${unreadable} cannot be read`);
  return problems;
}

function isLabels(text: string): boolean {
  try {
    return labelsSchema.safeParse(JSON.parse(text)).success;
  } catch {
    // JSON.parse
    return false;
  }
}

/** Every table of the rebuilt file has the same rows. */
function differences(path: string, scratch: string, version: number): readonly string[] {
  const db = new DatabaseSync(scratch, { readOnly: true });
  try {
    db.prepare('ATTACH ? AS kept').run(path);
    db.function('subject_key', { deterministic: true }, (part, hash) =>
      fromEarlierHashKey(Number(part), hash),
    );
    const tables = db
      .prepare(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'`)
      .all()
      .map(({ name }) => String(name))
      .filter((name) => !NOT_FROM_RECORDS.includes(name));
    return [...tables.flatMap((table) => compareTable(db, table, version)), ...compareEvidence(db, version)];
  } finally {
    db.close();
  }
}

function compareTable(db: DatabaseSync, table: string, version: number): readonly string[] {
  const columns = db
    .prepare(`SELECT name FROM pragma_table_info('${table}')`)
    .all()
    .map(({ name }) => String(name))
    .filter((name) => !PACKED[table]?.includes(name))
    .map((name) => `"${name}"`)
    .join(', ');
  const earlier = version < EVIDENCE_BLOCKS_VERSION ? EARLIER_ROWS[table] : undefined;
  const kept = earlier ?? `kept."${table}"`;
  const count = (one: string, other: string) => {
    const sql = `SELECT count(*) AS n FROM (
      SELECT ${columns} FROM ${one} EXCEPT SELECT ${columns} FROM ${other})`;
    return Number(db.prepare(sql).get()?.['n']);
  };
  const [missing, wrong] = [count(`main."${table}"`, kept), count(kept, `main."${table}"`)];
  if (missing === 0 && wrong === 0) return [];
  return [
    `${table}: ${missing} rows that records ask for are not there, ${wrong} are there that none asks for`,
  ];
}

/** Where an earlier version took signals apart in another way, each is at least under the hash of what it is. */
function compareEvidence(db: DatabaseSync, version: number): readonly string[] {
  const hasBlocks = version >= EVIDENCE_BLOCKS_VERSION;
  const isTheSame = compareTable(db, 'forms', version).length === 0;
  if (hasBlocks && isTheSame)
    return ['evidence_keys', 'evidence_blocks', 'evidence'].flatMap((table) =>
      compareTable(db, table, version),
    );
  const wrong = countWrongKeys(db, 'kept', version);
  const problems = wrong === 0 ? [] : [`evidence: ${wrong} pieces or forms are not what they were`];
  if (!isTheSame) return problems;
  const sql = `SELECT (SELECT count(*) FROM kept.evidence) - (SELECT count(*) FROM main.evidence_keys) AS n`;
  const over = Number(db.prepare(sql).get()?.['n']);
  return over === 0 ? problems : [...problems, `evidence: ${over} pieces that no record asks for`];
}

/** Codes of SQLite and of ours, and no text of a record. */
function describe(error: unknown): string {
  const code: unknown =
    error instanceof Error ? (Reflect.get(error, 'errcode') ?? Reflect.get(error, 'code')) : null;
  if (code === LATER_VERSION) return 'a later version wrote it';
  if (code === 'UNREADABLE') return 'it is no file of a history';
  if (code === 'MISSING_ENTRIES') return 'entries are missing';
  if (code === 'DAMAGED') return 'a record or its evidence is missing or damaged';
  if (typeof code === 'number' || typeof code === 'string') return `cannot be read (${code})`;
  return `cannot be read (${error instanceof Error ? error.name : 'ERROR'})`;
}
