import { useSignal } from '@preact/signals';
import type { TargetedSubmitEvent } from 'preact';
import { useEffect } from 'preact/hooks';
import { act, actNotice, isActing } from '../act/acts.ts';
import { formText } from '../act/form-text.ts';
import { type Address, FILTER_NAMES, parseAddress } from '../address.ts';
import type { ApiClient } from '../api-client.ts';
import { endSessionOnUnknown, mayReview } from '../session.ts';
import { address, go } from '../view-state.ts';
import type { ReviewQueues } from '../wire-acts.ts';

type Filters = Address['filters'];
type Saved = ReviewQueues['queues'][number];

/** What a queue is without any other filters: what people have to look at. */
export const TO_REVIEW: Filters = { decision: 'CHALLENGE', label: 'none' };

const BUILT_IN = 'Challenged, without a label';

/** Chooses among queues that are saved for everybody, saves the filters as one, and removes one. */
export function QueueChoice({ client }: { readonly client: ApiClient }) {
  const saved = useSignal<readonly Saved[]>([]);
  const latest = actNotice.value;
  useEffect(() => {
    const ending = new AbortController();
    client
      .get<ReviewQueues>('v1/review/queues', {}, { signal: ending.signal })
      .then(({ queues }) => {
        saved.value = queues;
      })
      .catch((error: unknown) => ending.signal.aborted || endSessionOnUnknown(error));
    return () => ending.abort();
  }, [client, latest]);
  const { filters } = address.value;
  const current = saved.value.find((queue) => isSame(toFilters(queue.filters), filters));
  const chosen = current?.name ?? (isSame(TO_REVIEW, filters) ? BUILT_IN : '');
  return (
    <>
      <label class="choice">
        <span>Queue</span>
        <select
          value={chosen}
          onChange={(event) => {
            const queue = saved.value.find(({ name }) => name === event.currentTarget.value);
            go({ filters: queue === undefined ? TO_REVIEW : toFilters(queue.filters) });
          }}
        >
          {chosen === '' && <option value="">These filters</option>}
          <option value={BUILT_IN}>{BUILT_IN}</option>
          {saved.value.map(({ name, saved_by: by }) => (
            <option key={name} value={name} title={`Saved by ${by}`}>
              {name}
            </option>
          ))}
        </select>
      </label>
      {mayReview() && chosen === '' && <SaveForm client={client} filters={filters} />}
      {mayReview() && current !== undefined && (
        <button
          class="button button-quiet"
          type="button"
          disabled={isActing.value}
          onClick={() => void removeQueue(client, current)}
        >
          Remove this queue
        </button>
      )}
    </>
  );
}

function SaveForm({ client, filters }: { readonly client: ApiClient; readonly filters: Filters }) {
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const name = formText(event.currentTarget, 'name');
    if (name !== '') void saveQueue(client, name, filters);
  };
  return (
    <form onSubmit={submit} autocomplete="off">
      <label class="choice">
        <span class="visually-hidden">Name of the queue</span>
        <input name="name" type="text" required maxLength={60} placeholder="Name of the queue" />
      </label>
      <button class="button" type="submit" disabled={isActing.value}>
        Save for everybody
      </button>
    </form>
  );
}

function saveQueue(client: ApiClient, name: string, filters: Filters): Promise<void> {
  return act(async () => {
    await client.open('v1/review/queues', {}, { method: 'PUT', body: { name, filters } });
    return { text: `Queue ${name} saved`, isFailure: false, undo: null };
  });
}

function removeQueue(client: ApiClient, { name, filters }: Saved): Promise<void> {
  return act(async () => {
    await client.open('v1/review/queues', { name }, { method: 'DELETE' });
    const undo = async () => {
      await client.open('v1/review/queues', {}, { method: 'PUT', body: { name, filters } });
    };
    return { text: `Queue ${name} removed`, isFailure: false, undo };
  });
}

/** The filters that the page has; a queue may have been saved with others, by other means. */
function toFilters(filters: Saved['filters']): Filters {
  return parseAddress(new URLSearchParams(filters).toString()).filters;
}

function isSame(left: Filters, right: Filters): boolean {
  return new Set([left, right].map((filters) => formatFilters(filters))).size === 1;
}

/** In one order. */
function formatFilters(filters: Filters): string {
  return FILTER_NAMES.map((name) => `${name}=${filters[name] ?? ''}`).join('&');
}
