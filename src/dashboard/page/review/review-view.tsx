import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { LabelButtons } from '../act/label-buttons.tsx';
import { labelOf } from '../act/labels.ts';
import { throughRows, walk } from '../act/walk.ts';
import type { Query } from '../api-client.ts';
import { FilterBar } from '../filter-bar.tsx';
import { formatCount } from '../format.ts';
import { endSessionOn, mayReview, type Session } from '../session.ts';
import type { ViewProperties } from '../view.ts';
import { address, go } from '../view-state.ts';
import { claims, followClaims, hold, take } from './claims.ts';
import { hasOlder, items, queueState, readOlder, readQueue } from './queue.ts';
import { QueueChoice, TO_REVIEW } from './queue-choice.tsx';
import { ReviewList } from './review-list.tsx';

/** Decisions that people have to look at, one after the other: filters with a name, and who has taken what. */
export function ReviewView({ session }: ViewProperties) {
  const { client } = session;
  const { filters, decisionId } = address.value;
  const times = useSignal(0);
  const query: Query = { ...filters };
  const queryText = JSON.stringify(query);
  const isChosen = Object.keys(filters).length > 0;
  useEffect(() => {
    if (!isChosen) go({ filters: TO_REVIEW }, false);
  }, [isChosen]);
  useEffect(() => {
    if (!isChosen) return undefined;
    const ending = new AbortController();
    readQueue(client, query, ending.signal).catch((error: unknown) => {
      if (!ending.signal.aborted) endSessionOn(error);
    });
    return () => ending.abort();
    // What is read depends on the query's content, not on its identity.
  }, [client, queryText, isChosen, times.value]);
  useEffect(() => followClaims(client), [client]);
  useEffect(() => (decisionId === null ? undefined : hold(client, decisionId)), [client, decisionId]);
  useEffect(() => {
    walk.value = (id, step) => throughQueue(session, id, step);
    return () => {
      walk.value = throughRows;
    };
  }, [session]);
  return (
    <main class="page">
      <section class="panel decisions" aria-labelledby="review-title">
        <div class="panel-head">
          <h2 id="review-title">Review</h2>
          <span class="not-given">
            {queueState.value === 'ready' &&
              `${formatCount(items.value.length)}${hasOlder.value ? '+' : ''} decisions`}
          </span>
        </div>
        <div class="review-bar">
          <QueueChoice client={client} />
          <button class="button" type="button" onClick={() => (times.value += 1)}>
            Read again
          </button>
          {mayReview() && (
            <button class="button" type="button" onClick={() => void startReview(session)}>
              Review the next one
            </button>
          )}
        </div>
        <FilterBar policy={session.policy} />
        <Content session={session} query={query} />
      </section>
    </main>
  );
}

function Content({ session, query }: { readonly session: Session; readonly query: Query }) {
  const selected = useSignal<ReadonlySet<string>>(new Set());
  const state = queueState.value;
  if (state === 'loading')
    return (
      <p class="state" role="status">
        Reading the queue…
      </p>
    );
  if (state !== 'ready')
    return (
      <p class="state state-error" role="alert">
        The queue cannot be read: {state.failure}
      </p>
    );
  if (items.value.length === 0)
    return (
      <div class="state">
        <h3>Nothing is left to review</h3>
        <p>No decision that is kept fits these filters. Read again, or choose another queue.</p>
      </div>
    );
  const chosen = items.value.filter(({ decision_id: id }) => selected.value.has(id));
  return (
    <>
      <ReviewList selected={selected} />
      {hasOlder.value && (
        <p class="table-foot">
          <button class="button" type="button" onClick={() => void readMore(session, query)}>
            Older ones
          </button>
        </p>
      )}
      {chosen.length > 0 && (
        <div class="bulk">
          <b>{chosen.length} selected</b>
          <LabelButtons decisions={chosen} hasKeys={false} />
          <button
            class="button button-quiet"
            type="button"
            onClick={() => {
              selected.value = new Set();
            }}
          >
            Select none
          </button>
        </div>
      )}
    </>
  );
}

async function readMore({ client }: Session, query: Query): Promise<void> {
  try {
    await readOlder(client, query, new AbortController().signal);
  } catch (error) {
    endSessionOn(error);
  }
}

/** Opens the first decision without a label that nobody else has. */
async function startReview(session: Session): Promise<void> {
  const next = await firstFree(
    session,
    items.value.filter((item) => labelOf(item) === null),
  );
  if (next !== null) go({ decisionId: next });
}

function throughQueue(session: Session, id: string, step: 1 | -1): Promise<string | null> {
  const place = items.value.findIndex(({ decision_id: known }) => known === id);
  if (place === -1) return Promise.resolve(null);
  const onward = step === 1 ? items.value.slice(place + 1) : items.value.slice(0, place).toReversed();
  return firstFree(session, onward);
}

/** The first that this reviewer gets; whoever only reads gets the first. */
async function firstFree(
  { client }: Session,
  candidates: readonly { readonly decision_id: string }[],
): Promise<string | null> {
  for (const { decision_id: id } of candidates) {
    const claim = claims.value.get(id);
    const isTaken = claim !== undefined && !claim.is_mine && Date.parse(claim.until) > Date.now();
    if (mayReview() && (isTaken || (await take(client, id)) !== null)) continue;
    return id;
  }
  return null;
}
