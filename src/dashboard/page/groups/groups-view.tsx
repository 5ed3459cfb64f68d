import { GROUPS, type GroupName } from '../address.ts';
import { Chips } from '../filter-bar.tsx';
import { formatCount, formatShare } from '../format.ts';
import { Link } from '../link.tsx';
import { NotThere } from '../not-there.tsx';
import { useAnswer } from '../use-answer.ts';
import type { ViewProperties } from '../view.ts';
import { address, go } from '../view-state.ts';
import { toWindowQuery } from '../window-query.ts';
import type { Stats } from '../wire.ts';
import { filtersOf, type PairTable, toPairTable } from './pair-table.ts';

const EVERY_MS = 15_000;

const NAMES: Readonly<Record<GroupName, string>> = {
  decision: 'Verdict',
  reason: 'Reason',
  rule: 'Rule',
  caller: 'Caller',
  action: 'Action',
  entry_point: 'Door',
  policy: 'Policy',
  provider_outcome: 'Provider outcome',
  country: 'Country',
  asn: 'Network (ASN)',
  label: 'Label',
};

/** How many decisions have two values, as a table with shares. A cell leads to its decisions. */
export function GroupsView({ session: { client } }: ViewProperties) {
  const { groups } = address.value;
  const [first, second] = groups;
  const query = { ...toWindowQuery(address.value), group_by: groups.join() };
  const reading = useAnswer<Stats>(client, 'v1/stats', query, EVERY_MS).value;
  const answer = reading.kind === 'ready' ? reading.answer : null;
  return (
    <main class="page">
      <section class="panel" aria-labelledby="groups-title">
        <div class="panel-head">
          <h2 id="groups-title">
            {NAMES[first]} by {NAMES[second].toLowerCase()}
          </h2>
          <div class="groups-tools">
            <Choice
              name="Rows"
              value={first}
              other={second}
              onChange={(next) => go({ groups: [next, second] })}
            />
            <button class="button" type="button" onClick={() => go({ groups: [second, first] })}>
              Swap
            </button>
            <Choice
              name="Columns"
              value={second}
              other={first}
              onChange={(next) => go({ groups: [first, next] })}
            />
          </div>
        </div>
        <Chips />
        {answer === null || answer.pairs === undefined ? (
          <NotThere what="the groups" reading={reading} />
        ) : (
          <PairPanel stats={answer} groups={groups} />
        )}
      </section>
    </main>
  );
}

interface ChoiceProperties {
  readonly name: string;
  readonly value: GroupName;
  /** What the other one is: two of the same say nothing. */
  readonly other: GroupName;
  readonly onChange: (value: GroupName) => void;
}

function Choice({ name, value, other, onChange }: ChoiceProperties) {
  return (
    <label class="choice">
      <span>{name}</span>
      <select
        value={value}
        onChange={(event) => {
          const chosen = GROUPS.find((group) => group === event.currentTarget.value);
          if (chosen !== undefined) onChange(chosen);
        }}
      >
        {GROUPS.filter((group) => group !== other).map((group) => (
          <option key={group} value={group}>
            {NAMES[group]}
          </option>
        ))}
      </select>
    </label>
  );
}

interface PairProperties {
  readonly stats: Stats;
  readonly groups: readonly [GroupName, GroupName];
}

function PairPanel({ stats, groups }: PairProperties) {
  const table = toPairTable(stats);
  if (table.rows.length === 0) return <p class="state state-small">No decision of this window has both.</p>;
  return (
    <>
      <p class="panel-note">
        Shares are of the row: of the decisions that have its value.
        {table.rowsOmitted + table.columnsOmitted > 0 &&
          ` The most frequent are shown; ${formatCount(table.rowsOmitted)} rows and ${formatCount(table.columnsOmitted)} columns are not.`}
        {stats.covered_since != null &&
          ` Decisions since ${new Date(stats.covered_since).toLocaleString('en-GB')} were looked at.`}
      </p>
      <div class="scroll-x">
        <Heat table={table} groups={groups} />
      </div>
    </>
  );
}

function Heat({ table, groups }: { readonly table: PairTable } & Pick<PairProperties, 'groups'>) {
  const [first] = groups;
  return (
    <table class="plain heat">
      <thead>
        <tr>
          <th scope="col">{NAMES[first]}</th>
          <th scope="col" class="number">
            All
          </th>
          {table.columns.map((column) => (
            <th key={column} scope="col" class="number" title={column}>
              {toShortName(column)}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {table.rows.map(({ value, total, cells }) => (
          <tr key={value}>
            <th scope="row" title={value}>
              {toShortName(value)}
            </th>
            <td class="number">{formatCount(total)}</td>
            {cells.map(({ count, share, level }, place) => (
              <td key={table.columns[place]} class={`number heat-${level}`}>
                {count > 0 && (
                  <Link
                    to={{
                      view: 'decisions',
                      filters: filtersOf(address.value.filters, groups, [value, table.columns[place] ?? '']),
                    }}
                  >
                    {formatCount(count)} <small>{formatShare(share)}</small>
                  </Link>
                )}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Hashes of policies are told by their beginning. */
function toShortName(value: string): string {
  return value.startsWith('sha256:') ? `${value.slice(7, 17)}…` : value;
}
