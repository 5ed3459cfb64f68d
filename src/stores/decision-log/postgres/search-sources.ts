/** Positions from `from` to before `below`. */
export interface PositionRange {
  readonly from: number;
  readonly below: number;
}

/** Adds a value to those of a statement, and returns what stands for it. */
export type Add = (value: unknown, type: string) => string;

/** Where candidates come from: what an index leads to. Every text is a whole statement. */
export interface Source {
  /** Gives `pos` and `body` of the newest candidates, named `looked`, that meet the conditions. */
  find(range: PositionRange, conditions: string, limit: number): string;
  /** Gives as `reached` the position down to which `find` looks at everything; null where that is all. */
  bound(range: PositionRange): string;
}

/** Entries that one statement looks at in each source. */
const SCAN_MAX = 20_000;
const COLUMNS =
  'pos, at, shape, asn, country, action, telemetry, device, devices, account, ip, network, visitor, body';

/** Says that a position is in a range. */
export function within({ from, below }: PositionRange): string {
  return `pos >= ${from} AND pos < ${below}`;
}

/** The newest rows of something that meet conditions. */
export function newest(from: string, where: string, limit: number): string {
  return `SELECT pos, body FROM ${from} WHERE ${where} ORDER BY pos DESC LIMIT ${limit}`;
}

/** All entries of which something is true. */
export function entriesWhere(where: string): Source {
  const looked = (range: PositionRange) => candidates(range, where, SCAN_MAX);
  return {
    find: (range, conditions, limit) => newest(`(${looked(range)}) AS looked`, conditions, limit),
    bound: (range) => boundOf(looked(range), SCAN_MAX),
  };
}

/** The entries that have one of some values in a column. `values` stands for an array of them. */
export function entriesWith(column: string, values: string, count: number): Source {
  const scanMax = Math.ceil(SCAN_MAX / Math.max(count, 1));
  const forEach = (statement: string) =>
    `SELECT each.* FROM unnest(${values}) AS keys (key) CROSS JOIN LATERAL (${statement}) AS each`;
  const looked = (range: PositionRange) => candidates(range, `${column} = key`, scanMax);
  return {
    find: (range, conditions, limit) => forEach(newest(`(${looked(range)}) AS looked`, conditions, limit)),
    bound: (range) => forEach(boundOf(looked(range), scanMax)),
  };
}

/** The entries whose label in force is this. */
export function entriesLabelled(label: string): Source {
  const labelled = (range: PositionRange) =>
    `SELECT pos FROM riskgate.labels WHERE label = ${label} AND ${within(range)} ORDER BY pos DESC LIMIT ${SCAN_MAX}`;
  return {
    find: (range, conditions, limit) =>
      newest(
        `(SELECT each.* FROM (${labelled(range)}) AS keys (key)
          CROSS JOIN LATERAL (${candidates(range, 'pos = key', 1)}) AS each) AS looked`,
        conditions,
        limit,
      ),
    bound: (range) => boundOf(labelled(range), SCAN_MAX),
  };
}

function candidates(range: PositionRange, where: string, limit: number): string {
  return `SELECT ${COLUMNS} FROM riskgate.entries WHERE ${within(range)} AND ${where}
    ORDER BY pos DESC LIMIT ${limit}`;
}

function boundOf(looked: string, scanMax: number): string {
  return `SELECT CASE WHEN count(*) >= ${scanMax} THEN min(pos) END AS reached FROM (${looked}) AS looked`;
}
