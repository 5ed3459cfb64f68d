import { useSignal } from '@preact/signals';
import { ranked, shareOf } from './figures.ts';
import { formatCount, formatShare } from './format.ts';
import type { Statistics } from './statistics.ts';
import { address, setFilter } from './view-state.ts';
import type { Counts } from './wire.ts';

const TABS = ['Reasons', 'Rules', 'Callers'] as const;
type Tab = (typeof TABS)[number];
const ENTRIES_MAX = 8;

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
  const { reasons, rules, callers } = statistics;
  const { filters } = address.value;
  if (tab === 'Rules') return <Rules stats={rules} />;
  const isReason = tab === 'Reasons';
  const { totals } = isReason ? reasons : callers;
  const name = isReason ? 'reason' : 'caller';
  const filterOf = (value: string) => (isReason ? codeOf(value) : value);
  const entries = ranked(isReason ? withoutWaived(totals.counts) : totals.counts, ENTRIES_MAX);
  if (entries.length === 0)
    return (
      <p class="state state-small">
        {isReason ? 'No rule applied in this window.' : 'No requests in this window.'}
      </p>
    );
  const most = entries[0]?.[1] ?? 1;
  return (
    <ol class="bars">
      {entries.map(([value, count]) => (
        <li key={value}>
          <button
            type="button"
            class="bar"
            aria-pressed={filters[name] === filterOf(value)}
            onClick={() => setFilter(name, filters[name] === filterOf(value) ? undefined : filterOf(value))}
          >
            <span class="bar-name">{isReason ? value.replace(UNKNOWN, ' (unknown)') : value}</span>
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

/** Ends a reason code where rules were not true but could not be decided. */
const UNKNOWN = ':unknown';
const WAIVED = ':waived';
/** Ends one that is counted without it too. */
const SATISFIED = ':satisfied';

function codeOf(value: string): string {
  return value.replace(UNKNOWN, '');
}

/** What the policy let pass is no reason, and what a step-up satisfies is counted as one already. */
function withoutWaived(counts: Counts): Counts {
  const isReason = (value: string) => !value.endsWith(WAIVED) && !value.endsWith(SATISFIED);
  return Object.fromEntries(Object.entries(counts).filter(([value]) => isReason(value)));
}

function Rules({ stats: { rules = {} } }: { readonly stats: Statistics['rules'] }) {
  const fired = Object.entries(rules)
    .filter(([, rule]) => rule.fired + rule.unknown > 0)
    .sort(([, left], [, right]) => right.fired + right.unknown - (left.fired + left.unknown))
    .slice(0, ENTRIES_MAX);
  if (fired.length === 0) return <p class="state state-small">No rule applied in this window.</p>;
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
            <th scope="col" class="number" title="Satisfied by a challenge that was passed before">
              Satisfied
            </th>
            <th
              scope="col"
              class="number"
              title="Of labelled decisions, the share that turned out to be fraud"
            >
              Precision
            </th>
          </tr>
        </thead>
        <tbody>
          {fired.map(([id, rule]) => (
            <tr key={id}>
              <th scope="row">{id}</th>
              <td class="number">{formatCount(rule.fired)}</td>
              <td class="number">{formatCount(rule.unknown)}</td>
              <td class="number">{formatCount(rule.satisfied)}</td>
              <td class="number">{formatShare(rule.precision)}</td>
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
