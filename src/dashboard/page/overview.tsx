import { changeOf, pointsOf } from './difference.ts';
import { cacheShare, type Share, shareOf, verdictShare } from './figures.ts';
import { formatCount, formatMs, formatRate, formatShare } from './format.ts';
import { ratePerSecond } from './live-feed.ts';
import { marksWithin } from './policy-markers.ts';
import { Sparkline } from './sparkline.tsx';
import { type Statistics, statistics, statisticsError } from './statistics.ts';
import { TopList } from './top-list.tsx';
import { VerdictCharts } from './verdict-charts.tsx';
import { isFiltered } from './view-state.ts';

/** The numbers of the window. */
export function Numbers() {
  const current = statistics.value;
  if (current !== null) return <Tiles statistics={current} />;
  return statisticsError.value === '' ? <Skeleton /> : <Failure />;
}

/** The charts, and what leads the lists. */
export function Charts() {
  const current = statistics.value;
  if (current === null) return null;
  return (
    <div class="columns">
      <VerdictCharts stats={current.verdicts} />
      <TopList statistics={current} />
    </div>
  );
}

function Tiles({ statistics: { verdicts, degraded, cacheUse } }: { readonly statistics: Statistics }) {
  const { totals, steps, previous } = verdicts;
  const before = previous?.totals;
  const cachedBefore = cacheUse.previous?.totals;
  const rate = ratePerSecond.value;
  const recent = rate.slice(-10);
  const perSecond = recent.reduce((sum, count) => sum + count, 0) / Math.max(1, recent.length);
  return (
    <section class="tiles" aria-label="Numbers of the window">
      <Tile
        name="Decisions"
        value={formatCount(totals.total)}
        note={isFiltered.value ? 'that fit the filters' : `${formatRate(perSecond)} per second now`}
        difference={before && changeOf(totals.total, before.total)}
        values={steps.map(({ total }) => (total === 0 ? null : total))}
      />
      <Tile
        name="Block rate"
        value={formatShare(verdictShare(totals, 'BLOCK'))}
        note={`${formatCount(totals.counts['BLOCK'] ?? 0)} blocked`}
        difference={before && pointsOf(verdictShare(totals, 'BLOCK'), verdictShare(before, 'BLOCK'))}
        values={steps.map((step) => verdictShare(step, 'BLOCK'))}
        tone="block"
      />
      <Tile
        name="Challenge rate"
        value={formatShare(verdictShare(totals, 'CHALLENGE'))}
        note={`${formatCount(totals.counts['CHALLENGE'] ?? 0)} challenged`}
        difference={before && pointsOf(verdictShare(totals, 'CHALLENGE'), verdictShare(before, 'CHALLENGE'))}
        values={steps.map((step) => verdictShare(step, 'CHALLENGE'))}
        tone="challenge"
      />
      <Tile
        name="Degraded"
        value={formatShare(shareOf(totals.degraded, totals.total))}
        note={`${formatCount(totals.degraded)} with evidence missing`}
        difference={
          before && pointsOf(shareOf(totals.degraded, totals.total), shareOf(before.degraded, before.total))
        }
        values={degraded.steps.map(({ counts, total }) => shareOf(counts['true'] ?? 0, total))}
      />
      <Tile
        name="Cache hits"
        value={formatShare(cacheShare(cacheUse.totals.counts))}
        note="of the evidence looked for"
        difference={
          cachedBefore && pointsOf(cacheShare(cacheUse.totals.counts), cacheShare(cachedBefore.counts))
        }
        values={cacheUse.steps.map(({ counts }) => cacheShare(counts))}
      />
      <Tile
        name="Latency p95"
        value={formatMs(totals.latency_ms.p95)}
        note={`p50 ${formatMs(totals.latency_ms.p50)} · p99 ${formatMs(totals.latency_ms.p99)}`}
        difference={before && changeOf(totals.latency_ms.p95, before.latency_ms.p95)}
        values={steps.map(({ latency_ms: { p95 } }) => p95)}
      />
    </section>
  );
}

interface TileProperties {
  readonly name: string;
  readonly value: string;
  readonly note: string;
  readonly values: readonly Share[];
  readonly tone?: 'block' | 'challenge';
  /** To the window before; undefined where they are not compared. */
  readonly difference?: string | undefined;
}

function Tile({ name, value, note, values, tone, difference }: TileProperties) {
  const marks = statistics.value === null ? [] : marksWithin(statistics.value.verdicts);
  return (
    <div class={`tile ${tone === undefined ? '' : `tile-${tone}`}`}>
      <h3>{name}</h3>
      <p class="tile-value">
        <span>{value}</span>
        {difference !== undefined && (
          <small class="difference" title="Against the window before">
            {difference}
          </small>
        )}
      </p>
      <Sparkline values={values} marks={marks} />
      <p class="tile-note">{note}</p>
    </div>
  );
}

function Skeleton() {
  return (
    <section class="tiles" aria-label="Numbers of the window" aria-busy="true">
      {Array.from({ length: 6 }, (_, place) => (
        <div key={place} class="tile tile-empty">
          <span class="bone bone-short" />
          <span class="bone bone-tall" />
          <span class="bone" />
        </div>
      ))}
      <p class="visually-hidden" role="status">
        Loading the numbers
      </p>
    </section>
  );
}

function Failure() {
  return (
    <section class="panel state state-error" role="alert">
      <h2>The numbers cannot be read</h2>
      <p>{statisticsError.value} Trying again by itself.</p>
    </section>
  );
}
