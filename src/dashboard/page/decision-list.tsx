import type { Query } from './api-client.ts';
import { DecisionTable } from './decision-table.tsx';
import { ExportMenu } from './export-menu.tsx';
import { FilterBar } from './filter-bar.tsx';
import { Finder } from './finder.tsx';
import { formatCount, formatFullTime } from './format.ts';
import { gaps, isComplete, listError, listState, revision, rows } from './live-feed.ts';
import type { Session } from './session.ts';
import { clearFilters, isFiltered, isPaused } from './view-state.ts';

interface ListProperties {
  readonly session: Session;
  readonly query: Query;
}

/** The decisions, newest first, with everything that narrows them down. */
export function DecisionList({ session, query }: ListProperties) {
  return (
    <section class="panel decisions" id="decisions" aria-labelledby="decisions-title" tabIndex={-1}>
      <div class="panel-head">
        <h2 id="decisions-title">Decisions</h2>
        <Finder client={session.client} />
        <ExportMenu client={session.client} query={query} />
      </div>
      <FilterBar policy={session.policy} />
      <Gaps />
      <ListedDecisions session={session} query={query} />
    </section>
  );
}

/** The rows, or why there are none. */
export function ListedDecisions({ session, query }: ListProperties) {
  void revision.value;
  if (rows.length > 0) return <DecisionTable client={session.client} query={query} />;
  if (listState.value === 'failed') return <Failed />;
  if (listState.value === 'loading') return <Loading />;
  return isFiltered.value ? <NothingFound /> : <NothingYet />;
}

function Loading() {
  return (
    <div class="skeleton-rows" role="status">
      <span class="visually-hidden">Loading decisions</span>
      {Array.from({ length: 8 }, (_, place) => (
        <span key={place} class="bone" />
      ))}
    </div>
  );
}

function Failed() {
  return (
    <div class="state state-error" role="alert">
      <h3>The decisions cannot be read</h3>
      <p>{listError.value}</p>
      <button
        class="button"
        type="button"
        onClick={() => {
          // A stream that starts again also reads the list again.
          isPaused.value = true;
          setTimeout(() => {
            isPaused.value = false;
          });
        }}
      >
        Try again
      </button>
    </div>
  );
}

function NothingFound() {
  return (
    <div class="state">
      <h3>No decision matches</h3>
      <p>
        {isComplete.value
          ? 'Nothing that is kept fits these filters. New decisions that do will appear here.'
          : 'The newest decisions do not fit these filters. Narrow the time down to look further back.'}
      </p>
      <button class="button" type="button" onClick={clearFilters}>
        Clear the filters
      </button>
    </div>
  );
}

function NothingYet() {
  return (
    <div class="state">
      <h3>No decisions yet</h3>
      <p>
        The first one will appear here by itself. To see the page alive, run{' '}
        <code>npm run demo -- --traffic</code>.
      </p>
    </div>
  );
}

/** Where the log itself lacks decisions, the table must not look complete. */
function Gaps() {
  return (
    <>
      {gaps.value.map((gap) => (
        <p key={`${gap.cause} ${gap.from} ${gap.until}`} class="gap" role="status">
          {gap.cause === 'dropped' ? (
            <>
              {gap.dropped === null ? 'Some decisions' : `${formatCount(gap.dropped)} decisions`} were
              answered and did not reach the log
              {gap.from !== null && ` (from ${formatFullTime(gap.from)})`}.
            </>
          ) : (
            'The log no longer holds everything since the connection was lost; the list was read again.'
          )}
        </p>
      ))}
    </>
  );
}
