import { PARTS, type SubjectRef } from '../address.ts';
import { formatAge, formatCount, formatFullTime } from '../format.ts';
import { HashLinks } from '../hash-links.tsx';
import { PART_NAMES, PART_PLURALS } from '../part-names.ts';
import type { SubjectHistory } from '../wire-subjects.ts';

/** The subjects that the same decisions name, by their part; each leads to its own page. */
export function SeenWith({ history }: { readonly history: SubjectHistory }) {
  const parts = PARTS.filter((part) => history.seen_with[part].distinct > 0);
  return (
    <section class="panel" aria-labelledby="subject-seen">
      <div class="panel-head">
        <h2 id="subject-seen">Seen with</h2>
      </div>
      {parts.length === 0 && <p class="state state-small">Its decisions name nobody else.</p>}
      <div class="seen-with">
        {parts.map((part) => (
          <Seen key={part} part={part} history={history} />
        ))}
      </div>
    </section>
  );
}

function Seen({ part, history }: { readonly part: SubjectRef['part']; readonly history: SubjectHistory }) {
  const { distinct, subjects } = history.seen_with[part];
  return (
    <div class="seen-part">
      <h3>
        {distinct === 1 ? PART_NAMES[part] : `${formatCount(distinct)} ${PART_PLURALS[part].toLowerCase()}`}
        {subjects.length < distinct && `, the ${subjects.length} most frequent`}
      </h3>
      <ul>
        {subjects.map(({ hash, decisions, first_seen: first, last_seen: last }) => (
          <li key={hash}>
            <HashLinks part={part} hashes={[hash]} />
            <span>{formatCount(decisions)}×</span>
            <time dateTime={last} title={`From ${formatFullTime(first)} until ${formatFullTime(last)}`}>
              {formatAge(Math.max(0, Date.now() - Date.parse(last)))} ago
            </time>
          </li>
        ))}
      </ul>
    </div>
  );
}
