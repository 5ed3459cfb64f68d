import { WINDOWS, type Window } from './address.ts';
import { AlertBadge } from './alert-badge.tsx';
import { Icon, Mark } from './icons.tsx';
import { Link } from './link.tsx';
import { streamState } from './live-feed.ts';
import { type Session, signOut } from './session.ts';
import { statisticsError } from './statistics.ts';
import { address, go, isPaused } from './view-state.ts';
import { VIEWS, viewOf } from './views.ts';

/** The top of the page: the views; windows, the stream's state and pause where the view has them; signing out. */
export function Header({ session }: { readonly session: Session }) {
  const leave = () => {
    isPaused.value = false;
    void signOut();
  };
  const { uses } = viewOf(address.value.view);
  const hasStream = uses.includes('stream');
  return (
    <header class="header">
      <div class="brand">
        <Mark />
        <h1>riskgate</h1>
      </div>
      <Views client={session.client} />
      {hasStream && <LiveState />}
      <div class="header-tools">
        {uses.includes('window') && <WindowChoice />}
        {hasStream && <PauseButton />}
        <button
          class="button button-quiet"
          type="button"
          onClick={leave}
          title={`Signed in as ${session.caller}, policy ${session.policy.id}`}
        >
          <Icon name="leave" />
          <span class="wide-only">Sign out</span>
          <span class="narrow-only visually-hidden">Sign out</span>
        </button>
      </div>
    </header>
  );
}

/** One tab for each view; none while there is one view alone. */
function Views({ client }: Pick<Session, 'client'>) {
  if (VIEWS.size < 2) return null;
  return (
    <nav class="views" aria-label="Views">
      {[...VIEWS].map(([name, { tab, isLinkedOnly = false }]) => {
        const isCurrent = address.value.view === name;
        if (isLinkedOnly && !isCurrent) return null;
        return (
          <Link key={name} class="view-tab" to={{ view: name, decisionId: null }} isCurrent={isCurrent}>
            {tab}
            {name === 'alerts' && <AlertBadge client={client} />}
          </Link>
        );
      })}
    </nav>
  );
}

function PauseButton() {
  return (
    <button
      class="button"
      type="button"
      aria-pressed={isPaused.value}
      onClick={() => {
        isPaused.value = !isPaused.value;
      }}
    >
      <Icon name={isPaused.value ? 'play' : 'pause'} />
      {isPaused.value ? 'Resume' : 'Pause'}
    </button>
  );
}

const STATES = {
  live: { text: 'Live', kind: 'good' },
  connecting: { text: 'Connecting…', kind: 'pending' },
  lost: { text: 'Reconnecting…', kind: 'bad' },
} as const;

function LiveState() {
  const { text, kind } = isPaused.value ? { text: 'Paused', kind: 'pending' } : STATES[streamState.value];
  const isStale = !isPaused.value && statisticsError.value !== '';
  return (
    <p class="live" role="status">
      <span class={`dot dot-${kind}`} />
      {text}
      {isStale && <span class="stale">Numbers are stale: {statisticsError.value}</span>}
    </p>
  );
}

const WINDOW_NAMES: Readonly<Record<Window, string>> = {
  '15m': '15 minutes',
  '1h': '1 hour',
  '6h': '6 hours',
  '24h': '24 hours',
  '7d': '7 days',
  '30d': '30 days',
};

function WindowChoice() {
  return (
    <fieldset class="segments">
      <legend class="visually-hidden">Time window of numbers and charts</legend>
      {WINDOWS.map((window) => (
        <label key={window} class="segment" title={`The last ${WINDOW_NAMES[window]}`}>
          <input
            type="radio"
            name="window"
            checked={address.value.window === window}
            onChange={() => go({ window })}
          />
          <span aria-hidden="true">{window}</span>
          <span class="visually-hidden">{WINDOW_NAMES[window]}</span>
        </label>
      ))}
    </fieldset>
  );
}
