import type { BacktestReport } from '../../domain/backtest/to-report.ts';
import { VERDICTS, type Verdict } from '../../domain/verdict.ts';
import { toBacktestReport } from '../../http/schemas/backtests.ts';
import { toRfc3339 } from '../../platform/rfc3339.ts';
import { type CliReport, EXIT_CODES } from '../command.ts';
import { toTableLines } from '../policy/to-table-lines.ts';

/** What is listed of each part; all of it is in the JSON. */
const LISTED = 10;
const SAMPLES_LISTED = 3;

/** The report of a backtest, as tables. */
export function showBacktest(report: BacktestReport, hash: string, badLines: number): CliReport {
  const { decisions, judged, notReplayable, changes, transitions, rules, accounts, hours } = report;
  const { changed, stricter, milder } = changes;
  // A file with bad lines and no decision does not show that none would change.
  const isEmpty = decisions === 0 && badLines === 0;
  const isAlike = changed === 0 && (judged > 0 || isEmpty);
  const moved = rules.filter(({ gained, lost }) => gained + lost > 0);
  const busy = hours.filter((hour) => hour.changed > 0);
  return {
    exitCode: isAlike ? EXIT_CODES.ok : EXIT_CODES.findings,
    lines: [
      `${decisions} decisions, ${judged} judged by ${hash}`,
      ...notReplayable.map(({ reason, count }) => `  ${count} not replayable: ${reason}`),
      ...(badLines > 0 ? [`  ${badLines} lines that are no records`] : []),
      ...toTableLines(toTable(transitions), String),
      `${changed} change their verdict (${share(changed, judged)}): ${stricter} stricter, ${milder} milder.`,
      ...transitions
        .filter(({ from, to }) => from !== to)
        .map(({ from, to, samples }) => `  ${from} → ${to}: ${samples.slice(0, SAMPLES_LISTED).join(' ')}`),
      ...table(
        'Rules',
        ['before', 'after', 'new', 'lost'],
        moved,
        ({ rule, before, after, gained, lost }) => [rule, before, after, gained, lost],
      ),
      ...changesTable('Callers', report.callers, ({ caller }) => caller),
      ...changesTable('Actions', report.actions, ({ action }) => action),
      ...changesTable('Hours', byChanged(busy), ({ hourMs }) => toRfc3339(hourMs)),
      ...describeLabels(report.labelled),
      ...table('Accounts', ['stricter', 'milder'], accounts, ({ account, stricter: more, milder: fewer }) => [
        account,
        more,
        fewer,
      ]),
    ],
    json: { policy: hash, bad_lines: badLines, ...toBacktestReport(report) },
  };
}

function toTable(transitions: BacktestReport['transitions']): Record<Verdict, Record<Verdict, number>> {
  const countOf = (from: Verdict, to: Verdict) =>
    transitions.find((one) => one.from === from && one.to === to)?.count ?? 0;
  const rowOf = (from: Verdict) => VERDICTS.map((to) => [to, countOf(from, to)]);
  // Every verdict is there.
  return Object.fromEntries(VERDICTS.map((from) => [from, Object.fromEntries(rowOf(from))])) as Record<
    Verdict,
    Record<Verdict, number>
  >;
}

type Changes = BacktestReport['changes'];

function changesTable<Row extends Changes>(
  title: string,
  rows: readonly Row[],
  nameOf: (row: Row) => string,
): readonly string[] {
  return table(title, ['decisions', 'stricter', 'milder'], rows, (row) => [
    nameOf(row),
    row.decisions,
    row.stricter,
    row.milder,
  ]);
}

function byChanged<Row extends Changes>(rows: readonly Row[]): readonly Row[] {
  return rows.toSorted((left, right) => right.changed - left.changed);
}

/** Lines of a table with a name in each row; none without a row. */
function table<Row>(
  title: string,
  columns: readonly string[],
  rows: readonly Row[],
  cellsOf: (row: Row) => readonly (string | number)[],
): readonly string[] {
  if (rows.length === 0) return [];
  const listed = rows.slice(0, LISTED).map(cellsOf);
  const wide = Math.max(...listed.map(([name = '']) => String(name).length), title.length) + 2;
  const line = ([name = '', ...cells]: readonly (string | number)[]) =>
    `  ${String(name).padEnd(wide)}${cells.map((cell) => String(cell).padStart(10)).join('')}`;
  const rest = rows.length - listed.length;
  return [line([title, ...columns]), ...listed.map(line), ...(rest > 0 ? [`  and ${rest} more`] : [])];
}

function describeLabels(labelled: BacktestReport['labelled']): readonly string[] {
  if (labelled === null) return [];
  const rows = labelled.labels.map(({ label, before, after }) => [
    label,
    ...VERDICTS.map((verdict) => `${before[verdict]} → ${after[verdict]}`),
  ]);
  const quality = (['blocked', 'challenged'] as const).map((by) => {
    const [before, after] = [labelled.before[by], labelled.after[by]];
    const precision = `precision ${toShare(before.precision)} → ${toShare(after.precision)}`;
    return `  ${by}: ${precision}, recall ${toShare(before.recall)} → ${toShare(after.recall)}`;
  });
  const { cost } = labelled.after;
  return [
    ...table('Labels', VERDICTS, rows, (row) => row),
    ...quality,
    ...(cost === null ? [] : [`  cost: ${labelled.before.cost} → ${cost}`]),
  ];
}

function toShare(value: number | null): string {
  return value === null ? 'none' : `${(100 * value).toFixed(1)} %`;
}

function share(count: number, of: number): string {
  return of === 0 ? 'none' : `${((100 * count) / of).toFixed(2)} %`;
}
