import { closeSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { makeDirectory } from '../../platform/make-directory.ts';
import type { WaitingWebhook, WebhookOutbox } from '../../platform/webhooks/webhook-outbox.ts';

interface FileOutboxOptions {
  readonly path: string;
  /** Messages of any other are forgotten: they were taken out of the configuration. */
  readonly targets: readonly string[];
  /** Told when messages cannot be written, with a code. */
  readonly onFailed: (code: string) => void;
}

/** An outbox of this process alone. */
interface FileOutbox extends WebhookOutbox {
  close(): void;
}

/** As those of the history. */
const MODES = { folder: 0o750, file: 0o640 } as const;

const TABLE = `CREATE TABLE IF NOT EXISTS waiting (
  target TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, seal TEXT NOT NULL, attempt INTEGER NOT NULL, due_at_ms INTEGER NOT NULL,
  PRIMARY KEY (target, id)
) STRICT, WITHOUT ROWID`;

/**
 * Opens a file of SQLite. A write is there when the process is killed; the last ones may be lost with the
 * machine. Throws with a `code` where the file cannot be used, or another process has it.
 */
export function openFileOutbox({ path, targets, onFailed }: FileOutboxOptions): FileOutbox {
  makeDirectory(dirname(path), MODES.folder);
  // Made with its rights: a file of SQLite begins with those of the process.
  closeSync(openSync(path, 'a', MODES.file));
  const db = new DatabaseSync(path, { timeout: 0 });
  try {
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL');
    db.exec(TABLE);
    db.prepare('DELETE FROM waiting WHERE target NOT IN (SELECT value FROM json_each(?))').run(
      JSON.stringify(targets),
    );
  } catch (error) {
    db.close();
    throw error;
  }
  const put = db.prepare('INSERT OR REPLACE INTO waiting VALUES (?, ?, ?, ?, ?, ?)');
  const remove = db.prepare('DELETE FROM waiting WHERE target = ? AND id = ?');
  const list = db.prepare(
    'SELECT id, body, seal, attempt, due_at_ms FROM waiting WHERE target = ? ORDER BY due_at_ms',
  );
  const claimed = new Set<string>();
  const nameOf = (target: string, id: string) => `${target} ${id}`;
  const attempt = (write: () => unknown) => {
    try {
      write();
    } catch (error) {
      onFailed(String(error instanceof Error ? (Reflect.get(error, 'errcode') ?? error.name) : error));
    }
  };
  return {
    put: ({ target, id, body, seal, attempt: attempts, dueAtMs }) => {
      claimed.add(nameOf(target, id));
      attempt(() => put.run(target, id, body, seal, attempts, Math.round(dueAtMs)));
    },
    // Nobody else opens the file.
    hold: () => {},
    remove: (target, id) => {
      claimed.delete(nameOf(target, id));
      attempt(() => remove.run(target, id));
    },
    claim: async (target, count) => {
      const found: WaitingWebhook[] = [];
      attempt(() => {
        for (const row of list.iterate(target)) {
          if (found.length >= count) break;
          const message = toMessage(target, row);
          const name = nameOf(target, message.id);
          if (claimed.has(name)) continue;
          claimed.add(name);
          found.push(message);
        }
      });
      return found;
    },
    close: () => db.close(),
  };
}

function toMessage(target: string, row: Readonly<Record<string, unknown>>): WaitingWebhook {
  return {
    target,
    id: String(row['id']),
    body: String(row['body']),
    seal: String(row['seal']),
    attempt: Number(row['attempt']),
    dueAtMs: Number(row['due_at_ms']),
  };
}
