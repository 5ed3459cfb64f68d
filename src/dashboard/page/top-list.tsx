import { useSignal } from '@preact/signals';
import { ranked, shareOf } from './figures.ts';
import { formatCount, formatShare } from './format.ts';
import type { Statistics } from './statistics.ts';
import { countApart, type ReasonCounts, STANDINGS, type Standing } from './truth.ts';
import { address, setFilter } from './view-state.ts';
import type { Stats } from './wire.ts';

const TABS = ['Reasons', 'Rules', 'Callers'] as const;
type Tab = (typeof TABS)[number];
const ENTRIES_MAX = 6;

/** What leads the window: reasons, rules with their precision, callers. A click filters the decisions. */
export function TopList({ statistics }: { readonly statistics: Statistics }) {
  const tab = useSignal<Tab>('Reasons');
  return (
    <section class="panel" aria-labelledby="top-title">
      <div class="panel-head">
        <h2 id="top-title">Top {tab.value.toLowerCase()}</h2>
        <div class="tabs">
          {TABS.map((name) => (
            <button
              key={name}
              type="button"
              class="tab"
              aria-pressed={tab.value === name}
              onClick={() => {
                tab.value = name;
              }}
            >
              {name}
            </button>
          ))}
        </div>
      </div>
      <TabContent tab={tab.value} statistics={statistics} />
    </section>
  );
}

function TabContent({ tab, statistics }: { readonly tab: Tab; readonly statistics: Statistics }) {
  if (tab === 'Rules') return <Rules stats={statistics.rules} />;
  return tab === 'Reasons' ? <Reasons stats={statistics.reasons} /> : <Callers stats={statistics.callers} />;
}

const MEANINGS: Readonly<Record<Standing, string>> = {
  true: 'true',
  unknown: 'could not be ruled out',
  waived: 'could not be ruled out, and was waived',
};

/** Each code with the decisions in which it was true, unknown and waived: three numbers and three parts of a bar. */
function Reasons({ stats: { totals } }: { readonly stats: Stats }) {
  const entries = countApart(totals.counts, ENTRIES_MAX);
  if (entries.length === 0) return <p class="state state-small">No rule applied in this window.</p>;
  const most = Math.max(...entries.map(sumOf));
  const { rule } = address.value.filters;
  return (
    <>
      <p class="reason-legend" aria-hidden="true">
        {STANDINGS.map((standing) => (
          <span key={standing} class="legend-entry">
            <span class={`swatch swatch-${standing}`} />
            {standing === 'waived' ? 'waived' : MEANINGS[standing]}
          </span>
        ))}
      </p>
      <ol class="bars">
        {entries.map((entry) => (
          <li key={entry.code} class="reason-bar">
            <span class="bar-name">{entry.code}</span>
            <span class="bar-count">
              {STANDINGS.filter((standing) => entry[standing] > 0).map((standing) => {
                const filter = standing === 'true' ? entry.code : `${entry.code}:${standing}`;
                return (
                  <button
                    key={standing}
                    type="button"
                    class={`part-count part-count-${standing}`}
                    aria-pressed={rule === filter}
                    aria-label={`${entry.code} ${MEANINGS[standing]}: ${formatCount(entry[standing])}`}
                    title={`${MEANINGS[standing]} in ${formatShare(shareOf(entry[standing], totals.total))} of decisions: list them`}
                    onClick={() => setFilter('rule', rule === filter ? undefined : filter)}
                  >
                    {formatCount(entry[standing])}
                  </button>
                );
              })}
            </span>
            <PartsMeter entry={entry} most={most} />
          </li>
        ))}
      </ol>
    </>
  );
}

function sumOf(entry: ReasonCounts): number {
  return STANDINGS.reduce((sum, standing) => sum + entry[standing], 0);
}

function PartsMeter({ entry, most }: { readonly entry: ReasonCounts; readonly most: number }) {
  let start = 0;
  return (
    <svg class="meter" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect class="meter-ground" width="100" height="4" />
      {STANDINGS.map((standing) => {
        const x = start;
        const width = (entry[standing] / most) * 100;
        start += width;
        return (
          width > 0 && <rect key={standing} class={`meter-${standing}`} x={x} width={width} height="4" />
        );
      })}
    </svg>
  );
}

function Callers({ stats: { totals } }: { readonly stats: Stats }) {
  const { caller: chosen } = address.value.filters;
  const entries = ranked(totals.counts, ENTRIES_MAX);
  if (entries.length === 0) return <p class="state state-small">No requests in this window.</p>;
  const most = entries[0]?.[1] ?? 1;
  return (
    <ol class="bars">
      {entries.map(([value, count]) => (
        <li key={value}>
          <button
            type="button"
            class="bar"
            aria-pressed={chosen === value}
            onClick={() => setFilter('caller', chosen === value ? undefined : value)}
          >
            <span class="bar-name">{value}</span>
            <span class="bar-count">
              {formatCount(count)} <small>{formatShare(shareOf(count, totals.total))}</small>
            </span>
            <Meter share={count / most} />
          </button>
        </li>
      ))}
    </ol>
  );
}

/** Precision is told of all decisions alone: the view of rules has it for filters too. */
function Rules({ stats: { totals, rules } }: { readonly stats: Stats }) {
  const applied = countApart(totals.counts, ENTRIES_MAX);
  if (applied.length === 0) return <p class="state state-small">No rule applied in this window.</p>;
  return (
    <div class="scroll-x">
      <table class="plain">
        <thead>
          <tr>
            <th scope="col">Rule</th>
            <th scope="col" class="number">
              True
            </th>
            <th scope="col" class="number">
              Unknown
            </th>
            <th scope="col" class="number" title="Could not be decided, and the policy let that pass">
              Waived
            </th>
            <th scope="col" class="number" title="Satisfied by a challenge that was passed before">
              Satisfied
            </th>
            {rules !== undefined && (
              <th
                scope="col"
                class="number"
                title="Of labelled decisions, the share that turned out to be fraud"
              >
                Precision
              </th>
            )}
          </tr>
        </thead>
        <tbody>
          {applied.map(({ code: id, true: fired, unknown, waived }) => (
            <tr key={id}>
              <th scope="row">{id}</th>
              <td class="number">{formatCount(fired)}</td>
              <td class="number">{formatCount(unknown)}</td>
              <td class="number">{formatCount(waived)}</td>
              <td class="number">{formatCount(totals.counts[`${id}:satisfied`] ?? 0)}</td>
              {rules !== undefined && <td class="number">{formatShare(rules[id]?.precision ?? null)}</td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A bar of `share` of the whole width, between 0 and 1. */
function Meter({ share }: { readonly share: number }) {
  return (
    <svg class="meter" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
      <rect class="meter-ground" width="100" height="4" />
      <rect class="meter-share" width={Math.max(1, share * 100)} height="4" />
    </svg>
  );
}
