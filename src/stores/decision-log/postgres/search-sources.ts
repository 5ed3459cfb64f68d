import { NOT_LABELLED } from '../../../domain/decision-log/outcome-label.ts';

/** Positions from `from` to before `below`. */
export interface PositionRange {
  readonly from: number;
  readonly below: number;
}

/** Adds a value to those of a statement, and returns what stands for it. */
export type Add = (value: unknown, type: string) => string;

/** Where candidates come from: what an index leads to. Every text is a whole statement. */
export interface Source {
  /** True where all candidates are looked at from the newest on; not so where each of several values has its own. */
  readonly isInOrder: boolean;
  /** Gives `pos` and `body` of the newest candidates, named `looked`, that meet the conditions. */
  find(range: PositionRange, conditions: string, limit: number): string;
  /**
   * Gives as `looked` how many candidates there are, at most about `scanMax`, and as `reached` down to which
   * position that are all; null where it is the whole range.
   */
  bound(range: PositionRange, scanMax: number): string;
}

/** Entries that one search looks at in each source. */
export const SCAN_MAX = 20_000;
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
  return {
    isInOrder: true,
    find: (range, conditions, limit) =>
      newest(`(${candidates(range, where, SCAN_MAX)}) AS looked`, conditions, limit),
    bound: (range, scanMax) => boundOf(candidates(range, where, scanMax, 'pos'), scanMax),
  };
}

/** The entries that have one of some values in a column. `values` stands for an array of them. */
export function entriesWith(column: string, values: string, count: number): Source {
  const shareOf = (scanMax: number) => Math.ceil(scanMax / Math.max(count, 1));
  const forEach = (statement: string) =>
    `SELECT each.* FROM unnest(${values}) AS keys (key) CROSS JOIN LATERAL (${statement}) AS each`;
  const where = `${column} = key`;
  return {
    isInOrder: count <= 1,
    find: (range, conditions, limit) =>
      forEach(newest(`(${candidates(range, where, shareOf(SCAN_MAX))}) AS looked`, conditions, limit)),
    bound: (range, scanMax) =>
      forEach(boundOf(candidates(range, where, shareOf(scanMax), 'pos'), shareOf(scanMax))),
  };
}

/** The labels in force, and all that were said. */
export const LABELLED = `(SELECT pos, label, history FROM riskgate.labels WHERE label <> '${NOT_LABELLED}')`;

/** The entries whose label in force is this. */
export function entriesLabelled(label: string): Source {
  const labelled = (range: PositionRange, scanMax: number) =>
    `SELECT pos FROM riskgate.labels WHERE label = ${label} AND ${within(range)} ORDER BY pos DESC LIMIT ${scanMax}`;
  return {
    isInOrder: true,
    find: (range, conditions, limit) =>
      newest(
        `(SELECT each.* FROM (${labelled(range, SCAN_MAX)}) AS keys (key)
          CROSS JOIN LATERAL (${candidates(range, 'pos = key', 1)}) AS each) AS looked`,
        conditions,
        limit,
      ),
    bound: (range, scanMax) => boundOf(labelled(range, scanMax), scanMax),
  };
}

function candidates(range: PositionRange, where: string, limit: number, columns = COLUMNS): string {
  return `SELECT ${columns} FROM riskgate.entries WHERE ${within(range)} AND ${where}
    ORDER BY pos DESC LIMIT ${limit}`;
}

function boundOf(looked: string, scanMax: number): string {
  return `SELECT CASE WHEN count(*) >= ${scanMax} THEN min(pos) END AS reached, count(*) AS looked
    FROM (${looked}) AS looked`;
}
