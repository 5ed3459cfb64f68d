import type { DatabaseSync, StatementSync } from 'node:sqlite';

/** The statements of one open file, each prepared once. */
export class SegmentStatements {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  /** Gives rows as objects. */
  of(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /** For many rows, each of which is a list: an object takes longer to make. */
  forRows(sql: string): StatementSync {
    const statement = this.of(sql);
    statement.setReturnArrays(true);
    return statement;
  }
}
