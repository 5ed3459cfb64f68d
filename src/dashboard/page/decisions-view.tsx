import { useEffect } from 'preact/hooks';
import { DecisionList } from './decision-list.tsx';
import { findWindow } from './default-window.ts';
import { startFeed } from './live-feed.ts';
import { isNarrow } from './narrow.ts';
import { Charts, Numbers } from './overview.tsx';
import { ProviderHealth } from './provider-health.tsx';
import { endSessionOn } from './session.ts';
import { followStatistics } from './statistics.ts';
import type { ViewProperties } from './view.ts';
import { address, isPaused, isWindowChosen, settleWindow } from './view-state.ts';

/** What is decided now: numbers, charts, providers, and the list. */
export function DecisionsView({ session }: ViewProperties) {
  const { client } = session;
  const { window, filters, compare: isCompared } = address.value;
  const paused = isPaused.value;
  const queryText = JSON.stringify(filters);
  useEffect(
    () => (paused ? undefined : followStatistics(client, { window, filters, isCompared }, endSessionOn)),
    [client, window, queryText, isCompared, paused],
  );
  useEffect(() => {
    if (isWindowChosen()) return undefined;
    const ending = new AbortController();
    findWindow(client, ending.signal)
      .then((found) => found !== null && settleWindow(found))
      // The numbers tell of a service that does not answer.
      .catch((error: unknown) => ending.signal.aborted || endSessionOn(error));
    return () => ending.abort();
  }, [client]);
  // What is read depends on the query's content, not on its identity.
  useEffect(
    () => (paused ? undefined : startFeed(client, filters, endSessionOn)),
    [client, queryText, paused],
  );
  return (
    <main class="page">
      <Numbers />
      {!isNarrow.value && <Charts />}
      <DecisionList session={session} query={filters} />
      {isNarrow.value && <Charts />}
      <ProviderHealth />
    </main>
  );
}
