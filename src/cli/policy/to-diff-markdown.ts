import type { diffPolicies } from '../../domain/policy-analysis/diff-policies.ts';
import { VERDICTS } from '../../domain/verdict.ts';
import { toCount } from './to-count.ts';

/** What is said of one class of evidence. */
interface ClassRow {
  readonly from: string;
  readonly to: string;
  readonly combinations: number;
  /** The rules that decide it; null where they were not told apart. */
  readonly rules: string | null;
  /** True where no evidence could be given that shows it. */
  readonly isDoubtful: boolean;
  /** The file of the evidence that shows it. */
  readonly path: string | null;
}

/** A comparison of two policies as Markdown, for the page of a change. */
export function toDiffMarkdown(
  title: string,
  { classes, table, limits }: ReturnType<typeof diffPolicies>,
  rows: readonly ClassRow[],
): readonly string[] {
  const head = [`### ${escaped(title)}`, ''];
  if (classes === null) return [...head, 'A bound was reached before they were compared.', ''];
  if (classes.length === 0) return [...head, 'No evidence is judged differently.', ...toLimits(limits), ''];
  const more = classes.length - rows.length;
  return [
    ...head,
    ...toTable(
      ['before \\ after', ...VERDICTS],
      VERDICTS.map((from) => [
        from,
        ...VERDICTS.map((to) =>
          from === to || table[from][to] === 0 ? toCount(table[from][to]) : `**${toCount(table[from][to])}**`,
        ),
      ]),
    ),
    '',
    ...toTable(
      ['Before', 'After', 'Combinations', 'Decided by', 'Evidence'],
      rows.map(({ from, to, combinations, rules, isDoubtful, path }) => [
        from,
        to,
        toCount(combinations),
        rules ?? '',
        isDoubtful ? 'may be: none could be given' : (path ?? ''),
      ]),
    ),
    ...(more > 0 ? ['', `And ${more} smaller classes.`] : []),
    ...toLimits(limits),
    '',
  ];
}

function toLimits(limits: readonly string[]): readonly string[] {
  return limits.length === 0 ? [] : ['', ...limits.map((limit) => `- not told apart: ${escaped(limit)}`)];
}

function toTable(header: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  const line = (cells: readonly string[]) => `| ${cells.map(escaped).join(' | ')} |`;
  return [line(header), `|${header.map(() => ' --- |').join('')}`, ...rows.map(line)];
}

/** A bar would end a cell, and a line break a row. */
function escaped(text: string): string {
  return text.replaceAll('\n', ' ').replaceAll('|', '\\|').replaceAll('<', '&lt;');
}
