import { shareOf } from '../figures.ts';
import { formatCount, formatShare } from '../format.ts';
import { Link } from '../link.tsx';
import { NotThere } from '../not-there.tsx';
import type { Reading } from '../use-answer.ts';
import { address } from '../view-state.ts';
import { type Stats, VERDICTS } from '../wire.ts';

interface TransitionProperties {
  readonly hash: string;
  readonly reading: Reading<Stats>;
}

/** Of each verdict, what the candidate makes of it. What it changes leads to the decisions. */
export function TransitionTable({ hash, reading }: TransitionProperties) {
  if (reading.kind !== 'ready') return <NotThere what="what it changes" reading={reading} />;
  const { counts } = reading.answer.totals;
  const of = (rest: string) => counts[`${hash}/${rest}`] ?? 0;
  const notJudged = of('not_judged');
  const judged = VERDICTS.flatMap((from) => VERDICTS.map((to) => of(`${from}/${to}`)));
  const all = judged.reduce((sum, count) => sum + count, 0);
  if (all + notJudged === 0)
    return <p class="state state-small">No decision of this window was judged by it.</p>;
  return (
    <div class="scroll-x">
      <table class="plain heat">
        <caption class="panel-note">
          Decisions of the window by their verdict, and by that of the candidate
          {notJudged > 0 && `; ${formatCount(notJudged)} were not judged by it`}
        </caption>
        <thead>
          <tr>
            <th scope="col">In force</th>
            {VERDICTS.map((to) => (
              <th key={to} scope="col" class="number">
                → {to}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {VERDICTS.map((from) => (
            <tr key={from}>
              <th scope="row">{from}</th>
              {VERDICTS.map((to) => {
                const count = of(`${from}/${to}`);
                const filters = { ...address.value.filters, transition: `${hash}/${from}/${to}` };
                return (
                  <td key={to} class={`number ${from !== to && count > 0 ? 'heat-3' : ''}`}>
                    {count === 0 ? (
                      0
                    ) : (
                      <Link to={{ view: 'decisions', filters }}>
                        {formatCount(count)} <small>{formatShare(shareOf(count, all))}</small>
                      </Link>
                    )}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
