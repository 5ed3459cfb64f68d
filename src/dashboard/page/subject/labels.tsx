import { ranked } from '../figures.ts';
import { formatCount, toWords } from '../format.ts';
import type { SubjectHistory } from '../wire-subjects.ts';

/** What its decisions turned out to be, in a line. */
export function Labels({ history: { labels, total } }: { readonly history: SubjectHistory }) {
  const entries = ranked(labels, 10);
  const labelled = entries.reduce((sum, [, count]) => sum + count, 0);
  return (
    <>
      {entries.map(([label, count]) => (
        <span key={label} class={`tag tag-${label}`}>
          {formatCount(count)} {toWords(label)}
        </span>
      ))}{' '}
      {formatCount(total - labelled)} without a label
    </>
  );
}
