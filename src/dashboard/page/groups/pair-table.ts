import type { Address, FilterName, GroupName } from '../address.ts';
import type { Stats } from '../wire.ts';

/** How many decisions have both values. */
interface Cell {
  readonly count: number;
  /** Of the decisions that have the value of the row. */
  readonly share: number;
  /** 0 to 5, by the share: how strongly the cell is coloured. */
  readonly level: number;
}

interface Row {
  readonly value: string;
  /** Decisions that have the value. */
  readonly total: number;
  /** One for each column. */
  readonly cells: readonly Cell[];
}

/** The most frequent values of two groups, against each other. */
export interface PairTable {
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
  readonly rowsOmitted: number;
  readonly columnsOmitted: number;
}

const ROWS_MAX = 25;
const COLUMNS_MAX = 12;
const LEVELS = 5;

/** The pairs of an answer by two groups as a table, the most frequent first. */
export function toPairTable({ pairs = [], totals }: Pick<Stats, 'pairs' | 'totals'>): PairTable {
  const counts = new Map(pairs.map(({ values, count }) => [values.join('\n'), count]));
  const [rows, columns] = [0, 1].map((place) => {
    const sums = new Map<string, number>();
    for (const { values, count } of pairs) {
      const value = values[place] ?? '';
      sums.set(value, (sums.get(value) ?? 0) + count);
    }
    return [...sums].sort(([, left], [, right]) => right - left).map(([value]) => value);
  }) as [string[], string[]];
  const shown = columns.slice(0, COLUMNS_MAX);
  return {
    columns: shown,
    rows: rows.slice(0, ROWS_MAX).map((value) => {
      const total = totals.counts[value] ?? 0;
      const cells = shown.map((column) => toCell(counts.get(`${value}\n${column}`) ?? 0, total));
      return { value, total, cells };
    }),
    rowsOmitted: Math.max(0, rows.length - ROWS_MAX),
    columnsOmitted: columns.length - shown.length,
  };
}

function toCell(count: number, total: number): Cell {
  const share = total === 0 ? 0 : count / total;
  return { count, share, level: Math.ceil(share * LEVELS) };
}

/** The filters of the decisions that have both values, beside those that there are. */
export function filtersOf(
  filters: Address['filters'],
  groups: readonly [GroupName, GroupName],
  values: readonly [string, string],
): Address['filters'] {
  const next: Partial<Record<FilterName, string>> = { ...filters };
  for (const [place, group] of groups.entries()) {
    const value = values[place] ?? '';
    // A reason with what it came to is found by the filter of rules, unless a rule is asked for too.
    if (group !== 'reason') next[group] = value;
    else if (groups.includes('rule')) next.reason = value.split(':')[0] ?? '';
    else next.rule = value;
  }
  return next;
}
