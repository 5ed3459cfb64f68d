import { useSignal } from '@preact/signals';
import type { TargetedSubmitEvent } from 'preact';
import { useEffect } from 'preact/hooks';
import type { SubjectRef } from '../address.ts';
import type { ApiClient } from '../api-client.ts';
import { formatFullTime, shortHash } from '../format.ts';
import { PART_NAMES } from '../part-names.ts';
import { endSessionOn, mayReview } from '../session.ts';
import type { ListNames } from '../wire-acts.ts';
import type { SubjectMemory } from '../wire-subjects.ts';
import { actNotice, isActing } from './acts.ts';
import { formText } from './form-text.ts';
import { addToList, removeFromList } from './list-acts.ts';

interface SubjectListsProperties {
  readonly client: ApiClient;
  readonly subjects: readonly SubjectRef[];
  /** The id of the hash key of their hashes, where it is known. */
  readonly hashKey: string | null;
}

type Listed = SubjectMemory['lists'][number];

interface Known {
  readonly lists: readonly string[];
  readonly entries: readonly Listed[];
  readonly knowledge: string;
}

/** The lists that subjects are on now, and a way to put them on one or take them off. */
export function SubjectLists({ client, subjects, hashKey }: SubjectListsProperties) {
  const known = useSignal<Known | string | null>(null);
  const names = subjects.map(({ part, hash }) => `${part}/${hash}`);
  // What was done here, or taken back, may have changed them.
  const latest = actNotice.value;
  useEffect(() => {
    const ending = new AbortController();
    read(client, names, ending.signal)
      .then((found) => {
        known.value = found;
      })
      .catch((error: unknown) => {
        if (ending.signal.aborted) return;
        known.value = error instanceof Error ? error.message : 'no answer';
        endSessionOn(error);
      });
    return () => ending.abort();
  }, [client, names.join(), latest]);
  if (subjects.length === 0 || known.value === null) return null;
  if (typeof known.value === 'string')
    return (
      <p class="subject-lists" role="alert">
        The lists cannot be read: {known.value}
      </p>
    );
  const { lists, entries, knowledge } = known.value;
  return (
    <div class="subject-lists">
      {knowledge !== 'current' && (
        <p class="hint">This replica may lack entries: what it knows of lists is {knowledge}.</p>
      )}
      {entries.length === 0 ? (
        <p class="hint">On no list.</p>
      ) : (
        <ul class="listed">
          {entries.map((listed) => (
            <Entry key={`${listed.list} ${listed.entry.id}`} client={client} listed={listed} />
          ))}
        </ul>
      )}
      {mayReview() && lists.length > 0 && (
        <AddForm client={client} lists={lists} subjects={subjects} hashKey={hashKey} />
      )}
    </div>
  );
}

async function read(client: ApiClient, subjects: readonly string[], signal: AbortSignal): Promise<Known> {
  const [all, ...memories] = await Promise.all([
    client.get<ListNames>('v1/lists', {}, { signal }),
    ...subjects.map((subject) => client.get<SubjectMemory>(`v1/subjects/${subject}/memory`, {}, { signal })),
  ]);
  return {
    lists: all.lists.flatMap(({ list, in_policy: isInPolicy }) => (isInPolicy ? [list] : [])),
    entries: memories.flatMap(({ lists }) => lists),
    knowledge: all.knowledge,
  };
}

interface EntryProperties {
  readonly client: ApiClient;
  readonly listed: Listed;
}

function Entry({ client, listed: { list, entry } }: EntryProperties) {
  const { part, value, expires_at: ends, note, added_at: at, added_by: by } = entry;
  // Those of subjects alone are asked for.
  const name = PART_NAMES[part as SubjectRef['part']];
  return (
    <li>
      <b>{list}</b>: {name} <code>#{shortHash(value)}</code> since {formatFullTime(at)} by {by}
      {ends !== null && `, until ${formatFullTime(ends)}`}
      {note !== null && <q>{note}</q>}
      {mayReview() && (
        <button
          class="button button-quiet"
          type="button"
          disabled={isActing.value}
          onClick={() => void removeFromList(client, list, entry)}
        >
          Remove<span class="visually-hidden"> from {list}</span>
        </button>
      )}
    </li>
  );
}

const DAYS = { '1': 'for a day', '7': 'for 7 days', '30': 'for 30 days', '': 'for ever' } as const;

interface AddFormProperties extends Pick<SubjectListsProperties, 'subjects' | 'hashKey'> {
  readonly client: ApiClient;
  readonly lists: readonly string[];
}

function AddForm({ client, lists, subjects, hashKey }: AddFormProperties) {
  const submit = (event: TargetedSubmitEvent<HTMLFormElement>): void => {
    event.preventDefault();
    const form = event.currentTarget;
    const text = (name: string) => formText(form, name);
    const subject = subjects[Number(text('subject'))];
    if (subject === undefined) return;
    const days = text('days');
    const expiresAtMs = days === '' ? null : Date.now() + Number(days) * 86_400_000;
    const note = text('note') || null;
    void addToList(client, text('list'), { subject, hashKey, expiresAtMs, note }).then((isDone) => {
      if (isDone) form.reset();
    });
  };
  return (
    <form class="list-form" onSubmit={submit} autocomplete="off">
      <label class="choice">
        <span>Put</span>
        <select name="subject">
          {subjects.map(({ part, hash }, place) => (
            <option key={`${part} ${hash}`} value={place}>
              {PART_NAMES[part]} #{shortHash(hash)}
            </option>
          ))}
        </select>
      </label>
      <label class="choice">
        <span>on</span>
        <select name="list">
          {lists.map((list) => (
            <option key={list}>{list}</option>
          ))}
        </select>
      </label>
      <label class="choice">
        <span class="visually-hidden">How long</span>
        <select name="days">
          {Object.entries(DAYS).map(([days, name]) => (
            <option key={days} value={days} selected={days === '30'}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="choice list-note">
        <span class="visually-hidden">Note</span>
        <input name="note" type="text" maxLength={200} placeholder="Note, without identifiers" />
      </label>
      <button class="button" type="submit" disabled={isActing.value}>
        Add to the list
      </button>
    </form>
  );
}
