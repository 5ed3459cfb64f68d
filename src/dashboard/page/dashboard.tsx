import { useEffect } from 'preact/hooks';
import { ActNotice } from './act/act-notice.tsx';
import { DecisionDialog } from './decision-dialog.tsx';
import { Header } from './header.tsx';
import { LazyView } from './lazy-view.tsx';
import { followPolicyMarkers } from './policy-markers.ts';
import { endSessionOn, type Session } from './session.ts';
import { address } from './view-state.ts';
import { viewOf } from './views.ts';

/** Everything behind the sign-in. */
export function Dashboard({ session }: { readonly session: Session }) {
  const { client } = session;
  // Every chart over time marks them.
  useEffect(() => followPolicyMarkers(client, endSessionOn), [client]);
  const { view: name, decisionId } = address.value;
  const { view } = viewOf(name);
  return (
    <>
      <a class="skip" href="#content">
        Skip to the content
      </a>
      <Header session={session} />
      <div id="content" tabIndex={-1}>
        {'shown' in view ? (
          <view.shown session={session} />
        ) : (
          <LazyView key={name} load={view.load} session={session} />
        )}
      </div>
      {decisionId === null ? <ActNotice /> : <DecisionDialog session={session} id={decisionId} />}
    </>
  );
}
