import { VERDICTS, type Verdict } from '../../domain/verdict.ts';

/** The lines of a table of verdicts: a row for each of the first policy, a column for each of the second. */
export function toTableLines(
  table: Readonly<Record<Verdict, Readonly<Record<Verdict, number>>>>,
  toText: (combinations: number) => string,
): readonly string[] {
  const line = (cells: readonly string[]) =>
    cells
      .map((cell) => cell.padEnd(11))
      .join('')
      .trimEnd();
  return [
    line(['from \\ to', ...VERDICTS]),
    ...VERDICTS.map((from) => line([from, ...VERDICTS.map((to) => toText(table[from][to]))])),
  ];
}
