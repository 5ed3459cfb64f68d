import { useEffect } from 'preact/hooks';
import { toQuery } from './address.ts';
import { DecisionDialog } from './decision-dialog.tsx';
import { DecisionList } from './decision-list.tsx';
import { Header } from './header.tsx';
import { startFeed } from './live-feed.ts';
import { Overview } from './overview.tsx';
import { ProviderHealth } from './provider-health.tsx';
import { endSessionOn, type Session } from './session.ts';
import { followStatistics } from './statistics.ts';
import { address, isPaused, lookup } from './view-state.ts';

/** Everything behind the sign-in. */
export function Dashboard({ session }: { readonly session: Session }) {
  const { client } = session;
  const { window, filters, decisionId } = address.value;
  const sought = lookup.value;
  const paused = isPaused.value;
  const query = toQuery(filters, sought);
  const queryText = JSON.stringify(query);
  useEffect(
    () => (paused ? undefined : followStatistics(client, window, endSessionOn)),
    [client, window, paused],
  );
  // What is read depends on the query's content, not on its identity.
  useEffect(() => (paused ? undefined : startFeed(client, query, endSessionOn)), [client, queryText, paused]);
  return (
    <>
      <a class="skip" href="#decisions">
        Skip to the decisions
      </a>
      <Header session={session} />
      <main class="page">
        <Overview />
        <ProviderHealth />
        <DecisionList session={session} query={query} />
      </main>
      {decisionId !== null && <DecisionDialog key={decisionId} client={client} id={decisionId} />}
    </>
  );
}
