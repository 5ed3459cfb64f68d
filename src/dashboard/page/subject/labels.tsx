import { ranked } from '../figures.ts';
import { formatCount, toWords } from '../format.ts';
import type { SubjectHistory } from '../wire.ts';

/** What its decisions turned out to be. */
export function Labels({ history: { labels, total } }: { readonly history: SubjectHistory }) {
  const entries = ranked(labels, 10);
  const labelled = entries.reduce((sum, [, count]) => sum + count, 0);
  return (
    <section class="panel" aria-labelledby="subject-labels">
      <div class="panel-head">
        <h2 id="subject-labels">What became of them</h2>
      </div>
      <ul class="subject-entries">
        {entries.map(([label, count]) => (
          <li key={label}>
            <span class={`tag tag-${label}`}>{toWords(label)}</span> <b>{formatCount(count)}</b>
          </li>
        ))}
        <li class="hint">{formatCount(total - labelled)} without a label</li>
      </ul>
    </section>
  );
}
