import { verdictShare } from '../figures.ts';
import { formatCount, formatShare } from '../format.ts';
import { policyMarkers } from '../policy-markers.ts';
import { VERDICTS } from '../wire.ts';
import type { SubjectHistory } from '../wire-subjects.ts';

const HEIGHT = 100;
const DAY_MS = 86_400_000;
/** As many days as bars can be told apart. */
const DAYS_MAX = 90;
/** Bars are not wider than with as many. */
const PLACES_MIN = 14;

const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short', timeZone: 'UTC' });

/** Decisions by UTC day as stacked bars, from the first day to the last. A day without one has no bar. */
export function DayChart({ history }: { readonly history: SubjectHistory }) {
  const { days, total, verdicts } = history;
  const span = { total, counts: verdicts };
  const lastMs = Date.parse(days.at(-1)?.at ?? '');
  const firstMs = Math.max(Date.parse(days[0]?.at ?? ''), lastMs - (DAYS_MAX - 1) * DAY_MS);
  const count = Math.round((lastMs - firstMs) / DAY_MS) + 1;
  const shown = days.filter(({ at }) => Date.parse(at) >= firstMs);
  const most = Math.max(...shown.map((each) => sumOf(each.verdicts)));
  return (
    <div class="charts">
      <div class="legend">
        {VERDICTS.toReversed().map((verdict) => (
          <span key={verdict} class="legend-entry">
            <span class={`swatch swatch-${verdict.toLowerCase()}`} />
            {verdict} <b>{formatCount(verdicts[verdict] ?? 0)}</b>
            <small>{formatShare(verdictShare(span, verdict))}</small>
          </span>
        ))}
        <span class="legend-time">at most {formatCount(most)} a day</span>
      </div>
      <svg
        class="day-chart"
        viewBox={`0 0 ${Math.max(count, PLACES_MIN)} ${HEIGHT}`}
        preserveAspectRatio="none"
        role="img"
        aria-label={`Verdicts on ${shown.length} of ${count} days`}
      >
        {shown.map(({ at, verdicts: counts }) => {
          const x = Math.round((Date.parse(at) - firstMs) / DAY_MS);
          let base = HEIGHT;
          return VERDICTS.toReversed().map((verdict) => {
            const height = ((counts[verdict] ?? 0) / most) * HEIGHT;
            base -= height;
            return (
              height > 0 && (
                <rect
                  key={`${at} ${verdict}`}
                  class={`fill-${verdict.toLowerCase()}`}
                  x={x + 0.08}
                  y={base}
                  width={0.84}
                  height={height}
                />
              )
            );
          });
        })}
        {policyMarkers.value.map(({ atMs }) => {
          const x = (atMs - firstMs) / DAY_MS;
          return x >= 0 && x < count && <path key={atMs} class="day-mark" d={`M${x} 0V${HEIGHT}`} />;
        })}
      </svg>
      <p class="day-axis">
        <span>{day.format(firstMs)}</span>
        {count >= PLACES_MIN && <span>{day.format(lastMs)}</span>}
      </p>
    </div>
  );
}

function sumOf(verdicts: SubjectHistory['verdicts']): number {
  return VERDICTS.reduce((sum, verdict) => sum + (verdicts[verdict] ?? 0), 0);
}
