import { randomBytes } from 'node:crypto';
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { PERIOD_MS } from '../../../application/decision-log/decision-log.ts';

/** The shape of entries that are gaps. */
export const GAP_SHAPE = 0;
/**
 * Milliseconds of the periods that are counted as records arrive; others are added up when they are asked
 * for.
 */
export const COUNTED_MS: readonly number[] = [PERIOD_MS.minute, PERIOD_MS.hour, 6 * PERIOD_MS.hour];

/** What `meta` says of a file of which only labelled decisions are left: their numbers have holes. */
export const THINNED = 'thinned';

/** What `meta` says of the batch that was appended last: who numbered it, and its number. */
export const LAST_BATCH = 'last_batch';

/** What `meta` says of how evidence is hashed: another salt in each file. */
const EVIDENCE_SALT = 'evidence_salt';
const SALT_BYTES = 16;

/** The version of the tables, and the first that is read. A file of a later one is not opened. */
export const SCHEMA_VERSION = 7;
const SCHEMA_VERSION_MIN = 5;
/** From this version on, places hold the names of autonomous systems, and blocks are read in parts. */
export const NAMED_PLACES_VERSION = 6;
/**
 * From this version on, evidence stands in blocks, subjects are found by numbers, and entries by the first bytes of
 * their ids.
 */
export const EVIDENCE_BLOCKS_VERSION = 7;

/**
 * `entries`: decisions and gaps (shape 0) in their order, with the number of their shape, place and action,
 * the bucket of their latency, and the hashes of their subject. `shapes`: what is filtered and counted of a
 * record, once for each distinct combination; `places` and `actions` likewise. `subjects`: which entries an
 * identifier's hash is in, by a number of it (see toSubjectKey). `chunks` and `columns`: the numbers of some
 * thousand adjacent entries together, which are searched and counted at once; `sketches`: how many different subjects the decisions of an hour
 * have, of those that stand in chunks. `blocks`: what is left of records, compressed together; `tail` holds
 * those that do not fill a block yet. `evidence_blocks` and `evidence` hold signals likewise, each once by the hash
 * of their content, which `evidence_keys` has, with the number of the `forms` that many have in common
 * (signals-form.ts). `counts` and `latencies` count the decisions of each counted period, by shape and by bucket.
 */
const SCHEMA = `
CREATE TABLE meta (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE shapes (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, text TEXT NOT NULL);
CREATE TABLE places (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, text TEXT NOT NULL);
CREATE TABLE actions (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, text TEXT NOT NULL);
CREATE TABLE entries (seq INTEGER PRIMARY KEY, id NOT NULL, at INTEGER NOT NULL, shape INTEGER NOT NULL,
  place INTEGER NOT NULL, action INTEGER NOT NULL, latency INTEGER NOT NULL, subject);
CREATE INDEX entries_by_id ON entries (substr(id, 1, 8));
CREATE INDEX gaps ON entries (seq) WHERE shape = 0;
CREATE TABLE chunks (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, min_at INTEGER NOT NULL,
  max_at INTEGER NOT NULL);
CREATE TABLE columns (name INTEGER NOT NULL, first INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (name, first)) WITHOUT ROWID;
CREATE TABLE sketches (start INTEGER NOT NULL, part INTEGER NOT NULL, data BLOB NOT NULL,
  PRIMARY KEY (start, part)) WITHOUT ROWID;
CREATE TABLE subjects (key INTEGER NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (key, seq)) WITHOUT ROWID;
CREATE TABLE blocks (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, min_at INTEGER NOT NULL,
  max_at INTEGER NOT NULL, body BLOB NOT NULL);
CREATE INDEX blocks_by_beginning ON blocks (min_at, last);
CREATE INDEX blocks_by_end ON blocks (max_at);
CREATE TABLE tail (seq INTEGER PRIMARY KEY, body TEXT NOT NULL);
CREATE TABLE forms (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, text TEXT NOT NULL);
CREATE TABLE evidence (id INTEGER PRIMARY KEY, form INTEGER NOT NULL, numbers TEXT NOT NULL,
  hashes BLOB NOT NULL);
CREATE TABLE evidence_keys (key INTEGER PRIMARY KEY, id INTEGER NOT NULL);
CREATE TABLE evidence_blocks (first INTEGER PRIMARY KEY, last INTEGER NOT NULL, body BLOB NOT NULL);
CREATE TABLE counts (period INTEGER NOT NULL, start INTEGER NOT NULL, shape INTEGER NOT NULL,
  count INTEGER NOT NULL, PRIMARY KEY (period, start, shape)) WITHOUT ROWID;
CREATE TABLE latencies (period INTEGER NOT NULL, start INTEGER NOT NULL, series TEXT NOT NULL,
  bucket INTEGER NOT NULL, count INTEGER NOT NULL,
  PRIMARY KEY (period, start, series, bucket)) WITHOUT ROWID;
CREATE TABLE labels (seq INTEGER PRIMARY KEY, at INTEGER NOT NULL, label TEXT NOT NULL, history TEXT NOT NULL);
`;

/** Only the owner and the group may read a file. */
const MODE = 0o640;
/** How long one connection waits for another, which holds a lock for microseconds. */
const LOCK_WAIT_MS = 5_000;
/** Pages kept by a connection, in KiB. */
const WRITER_CACHE_KB = 16_384;
const READER_CACHE_KB = 256;
/** Pages after which the write-ahead log is moved into the file: about 4 MB. */
const CHECKPOINT_PAGES = 1_000;

/** A file that is no file of the history. */
const UNREADABLE = 'UNREADABLE';
/** A file that a later version has written: it is whole, and is not to be touched. */
export const LATER_VERSION = 'LATER_VERSION';

/**
 * Opens a segment for writing, and makes its tables where it is new. `isSynced`: a commit is on the disk when it
 * returns; otherwise it survives the process, but not the machine. `salt`: what a new segment hashes evidence with; see
 * evidenceSaltOf. Throws with a `code` when it cannot.
 */
export function openForWriting(path: string, isSynced: boolean, salt = newSalt()): DatabaseSync {
  // SQLite would let everybody read it; what it puts beside the file has the file's mode.
  closeSync(openSync(path, 'a', MODE));
  const db = new DatabaseSync(path, { timeout: LOCK_WAIT_MS });
  try {
    db.exec(`PRAGMA journal_mode = WAL;
      PRAGMA synchronous = ${isSynced ? 'FULL' : 'NORMAL'};
      PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
      PRAGMA cache_size = -${WRITER_CACHE_KB};
      PRAGMA temp_store = MEMORY;`);
    if (versionOf(db) === 0) createTables(db, salt);
    requireVersion(db, path);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

function newSalt(): string {
  return randomBytes(SALT_BYTES).toString('hex');
}

function createTables(db: DatabaseSync, salt: string): void {
  db.exec(`BEGIN IMMEDIATE; ${SCHEMA}`);
  db.prepare('INSERT INTO meta (name, value) VALUES (?, ?)').run(EVIDENCE_SALT, salt);
  db.exec(`PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT;`);
}

/**
 * What the hashes of evidence in a file begin with, so that nobody can look beforehand for two pieces whose keys are
 * the same. Empty where a file was made before there were salts. `schema` is where an attached file stands.
 */
export function evidenceSaltOf(db: DatabaseSync, schema = 'main'): string {
  const row = db.prepare(`SELECT value FROM ${schema}.meta WHERE name = ?`).get(EVIDENCE_SALT);
  return String(row?.['value'] ?? '');
}

/** SQLITE_READONLY_ROLLBACK. */
const NEEDS_ROLLBACK = 776;
/** Without tables: its writer is making them, or was killed before it had. Nothing is in it. */
export const NO_TABLES = 'NO_TABLES';

/**
 * Opens a segment for reading beside its writer. Throws with a `code` when it cannot, `NO_TABLES` where it is
 * empty.
 */
export function openForReading(path: string): DatabaseSync {
  try {
    return openReadOnly(path);
  } catch (error) {
    if (!(error instanceof Error) || Reflect.get(error, 'errcode') !== NEEDS_ROLLBACK) throw error;
    rollBack(path);
    return openReadOnly(path);
  }
}

function openReadOnly(path: string): DatabaseSync {
  const db = new DatabaseSync(path, { readOnly: true, timeout: LOCK_WAIT_MS });
  try {
    db.exec(`PRAGMA cache_size = -${READER_CACHE_KB}; PRAGMA temp_store = MEMORY;`);
    if (versionOf(db) === 0 && db.prepare('SELECT name FROM sqlite_master LIMIT 1').get() === undefined)
      throw Object.assign(new Error(`${path} has no tables yet`), { code: NO_TABLES });
    requireVersion(db, path);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** Ends what a process was killed in while it made the file: whoever may write does so by reading. */
function rollBack(path: string): void {
  const db = new DatabaseSync(path, { timeout: LOCK_WAIT_MS });
  try {
    versionOf(db);
  } finally {
    db.close();
  }
}

function requireVersion(db: DatabaseSync, path: string): void {
  const version = versionOf(db);
  if (version >= SCHEMA_VERSION_MIN && version <= SCHEMA_VERSION) return;
  const message = `${path} has version ${version} of the history, not ${SCHEMA_VERSION_MIN} to ${SCHEMA_VERSION}`;
  throw Object.assign(new Error(message), { code: version > SCHEMA_VERSION ? LATER_VERSION : UNREADABLE });
}

/** The version of the tables of an open file; 0 where it has none. */
export function versionOf(db: DatabaseSync): number {
  return Number(db.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
}
