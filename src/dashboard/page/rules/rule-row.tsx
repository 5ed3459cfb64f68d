import { formatAge, formatCount, formatShare, NOTHING, toWords } from '../format.ts';
import { Link } from '../link.tsx';
import { marksWithin } from '../policy-markers.ts';
import { Sparkline } from '../sparkline.tsx';
import { address } from '../view-state.ts';
import type { EstimatedShare, RuleStat, RuleStatistics } from '../wire-rules.ts';
import { falsePositivesOf } from './order-rules.ts';

interface RowProperties {
  readonly rule: RuleStat;
  /** What the trend is of. */
  readonly window: Pick<RuleStatistics, 'since' | 'until'>;
}

/** One rule: its text behind its name, its numbers, and links to the decisions that they are of. */
export function RuleRow({ rule, window }: RowProperties) {
  const { rule: id, fired, decisive, unknown, waived, time_to_label_ms: delayMs } = rule;
  const isQuiet = fired + unknown + waived === 0;
  return (
    <tr class={isQuiet ? 'rule-quiet' : ''}>
      <th scope="row">
        <RuleText rule={rule} />
      </th>
      <td class="number">
        <Count count={fired} filter={id} />
      </td>
      <td class="number">{formatCount(decisive)}</td>
      <td class="number">
        <Count count={unknown} filter={`${id}:unknown`} />
        {waived > 0 && (
          <>
            {' '}
            <small>
              + <Count count={waived} filter={`${id}:waived`} /> waived
            </small>
          </>
        )}
      </td>
      <td class="number">
        <ShareCell share={rule.precision} />
      </td>
      <td class="number">{isQuiet ? NOTHING : <ShareCell share={rule.recall} />}</td>
      <td class="number">
        <ShareCell share={rule.challenge_pass} />
      </td>
      <td class="number">{delayMs === null ? NOTHING : formatAge(delayMs)}</td>
      <td class="number">
        <FalsePositives rule={rule} />
      </td>
      <td class="number">
        {rule.since === null ? NOTHING : new Date(rule.since).toLocaleDateString('en-GB')}
      </td>
      <td>
        {rule.fired_by_step !== null && fired > 0 && (
          <Sparkline values={rule.fired_by_step} marks={marksWithin(window)} />
        )}
      </td>
    </tr>
  );
}

function RuleText({ rule: { rule: id, in_force: isInForce, written } }: { readonly rule: RuleStat }) {
  if (written === null)
    return (
      <span>
        {id} <small>not in force, and no text of it is known</small>
      </span>
    );
  const { verdict, reason, when, on_unknown: onUnknown, exempt, observe, description } = written;
  return (
    <details class="rule-text">
      <summary>
        {id}{' '}
        <small>
          {exempt ? 'exempt' : observe ? 'observes' : verdict}
          {!isInForce && ', not in force'}
        </small>
      </summary>
      {description !== null && <p>{description}</p>}
      <code class="condition">{when}</code>
      <p>
        {reason}; unknown counts as {onUnknown}
      </p>
    </details>
  );
}

/** A number of decisions that leads to them. */
function Count({ count, filter }: { readonly count: number; readonly filter: string }) {
  if (count === 0) return <>0</>;
  const filters = { ...address.value.filters, rule: filter };
  return <Link to={{ view: 'decisions', filters }}>{formatCount(count)}</Link>;
}

function FalsePositives({ rule }: { readonly rule: RuleStat }) {
  const found = falsePositivesOf(rule);
  if (found.length === 0) return <>{NOTHING}</>;
  return (
    <>
      {found.map(([label, count]) => (
        <Link
          key={label}
          class="false-positive"
          to={{ view: 'decisions', filters: { ...address.value.filters, rule: rule.rule, label } }}
        >
          {formatCount(count)} {toWords(label)}
        </Link>
      ))}
    </>
  );
}

const WIDTH = 60;

/** A share with the number of decisions that tell it, and a bar of where the true one most likely is. */
function ShareCell({ share: { share, n, low, high } }: { readonly share: EstimatedShare }) {
  if (share === null) return <>{NOTHING}</>;
  const range = `${formatShare(low)} to ${formatShare(high)}`;
  return (
    <span class="estimate" title={`Most likely ${range}, by ${n} decisions`}>
      <span>
        {formatShare(share)} <small>of {formatCount(n)}</small>
      </span>
      <svg class="interval" viewBox={`0 0 ${WIDTH} 6`} aria-hidden="true">
        <rect class="interval-ground" y="2" width={WIDTH} height="2" />
        <rect
          class="interval-range"
          x={low * WIDTH}
          y="1"
          width={Math.max(1, (high - low) * WIDTH)}
          height="4"
        />
        <rect class="interval-share" x={Math.min(WIDTH - 2, share * WIDTH)} width="2" height="6" />
      </svg>
      <small>{range}</small>
    </span>
  );
}
