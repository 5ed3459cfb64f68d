import { hash as digest } from 'node:crypto';
import { closeSync, existsSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** Beside the files of days, and kept when those go. */
export const POLICY_FILE = 'policies.sqlite';
/** Only the owner and the group may read it. */
const MODE = 0o640;
/** How long one connection waits for another, which holds a lock for milliseconds. */
const LOCK_WAIT_MS = 5_000;
const SCHEMA =
  'CREATE TABLE IF NOT EXISTS policies (hash TEXT PRIMARY KEY, text TEXT NOT NULL) WITHOUT ROWID';

/**
 * Keeps the text of a policy in the history of a directory, once; it is on the disk afterwards. The file is
 * opened for each: policies change seldom. Throws with a `code`.
 */
export function keepPolicyText(directory: string, hash: string, text: string): void {
  const path = join(directory, POLICY_FILE);
  closeSync(openSync(path, 'a', MODE));
  const db = new DatabaseSync(path, { timeout: LOCK_WAIT_MS });
  try {
    db.exec(`PRAGMA synchronous = FULL; ${SCHEMA};`);
    db.prepare('INSERT OR IGNORE INTO policies (hash, text) VALUES (?, ?)').run(hash, text);
  } finally {
    db.close();
  }
}

/** The text of a policy; null where it is not kept. Throws with a `code`. */
export function readPolicyText(directory: string, hash: string): string | null {
  const path = join(directory, POLICY_FILE);
  if (!existsSync(path)) return null;
  const db = new DatabaseSync(path, { readOnly: true, timeout: LOCK_WAIT_MS });
  try {
    const row = db.prepare('SELECT text FROM policies WHERE hash = ?').get(hash);
    return row === undefined ? null : String(row['text']);
  } finally {
    db.close();
  }
}

/** What is wrong with the texts that are kept, one line each. */
export function findPolicyProblems(directory: string): readonly string[] {
  const db = new DatabaseSync(join(directory, POLICY_FILE), { readOnly: true, timeout: LOCK_WAIT_MS });
  try {
    const said = db
      .prepare('PRAGMA integrity_check(5)')
      .all()
      .map((row) => String(row['integrity_check']));
    if (said[0] !== 'ok') return said.map((line) => `the file is damaged: ${line}`);
    const rows = db.prepare('SELECT hash, text FROM policies').all();
    const wrong = rows.filter(({ hash, text }) => hash !== `sha256:${digest('sha256', String(text))}`);
    return wrong.map(({ hash }) => `${String(hash)} has another text`);
  } catch (error) {
    const code: unknown = error instanceof Error ? Reflect.get(error, 'errcode') : null;
    return [`cannot be read (${typeof code === 'number' ? code : 'ERROR'})`];
  } finally {
    db.close();
  }
}
