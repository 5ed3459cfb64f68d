import type { SubjectRef } from '../address.ts';
import type { ApiClient } from '../api-client.ts';
import type { ListEntry, PutEntry } from '../wire-acts.ts';
import type { SubjectMemory } from '../wire-subjects.ts';
import { act, actNotice } from './acts.ts';

/** What is put on a list. */
interface GivenEntry {
  readonly subject: SubjectRef;
  readonly hashKey: string | null;
  readonly expiresAtMs: number | null;
  readonly note: string | null;
}

const FIELDS: Readonly<Record<SubjectRef['part'], string>> = {
  device: 'device_id',
  account: 'account_id',
  telemetry: 'telemetry_id',
  ip: 'ip',
  visitor: 'visitor',
};

/** Puts a subject on a list by its keyed hash, to be taken back. False where that failed. */
export async function addToList(client: ApiClient, list: string, given: GivenEntry): Promise<boolean> {
  const { subject, hashKey, expiresAtMs, note } = given;
  await act(async () => {
    const put = await putEntry(client, list, {
      [FIELDS[subject.part]]: `#${subject.hash}`,
      ...(hashKey !== null && { hash_key: hashKey }),
      expires_at: expiresAtMs === null ? null : new Date(expiresAtMs).toISOString(),
      note,
    });
    const undo = async () => {
      await requireStill(client, list, put.entry, put.entry.added_at);
      if (put.former === null) await removeEntry(client, list, put.entry.id);
      else await putEntry(client, list, toBody(put.former));
    };
    return { text: put.replaced ? `Replaced on ${list}` : `Put on ${list}`, isFailure: false, undo };
  });
  return actNotice.value?.isFailure === false;
}

/** Takes an entry off its list, to be put back as it was. */
export function removeFromList(client: ApiClient, list: string, entry: ListEntry): Promise<void> {
  return act(async () => {
    await removeEntry(client, list, entry.id);
    const undo = async () => {
      await requireStill(client, list, entry, null);
      await putEntry(client, list, toBody(entry));
    };
    return { text: `Removed from ${list}`, isFailure: false, undo };
  });
}

/** Rejects where a colleague has changed the entry since, which is not to be undone: `addedAt` is what was left. */
async function requireStill(
  client: ApiClient,
  list: string,
  { id, part, value }: ListEntry,
  addedAt: string | null,
): Promise<void> {
  const { lists } = await client.get<SubjectMemory>(`v1/subjects/${part}/${value}/memory`);
  const found = lists.find((each) => each.list === list && each.entry.id === id);
  if ((found?.entry.added_at ?? null) !== addedAt) throw new Error('somebody has changed the entry since');
}

/** Times and notes as they were; who put it there is whoever puts it back. */
function toBody({ part, value, hash_key: key, expires_at: ends, note }: ListEntry): object {
  // Entries about a subject's parts alone are shown here.
  return { [FIELDS[part as SubjectRef['part']]]: `#${value}`, hash_key: key, expires_at: ends, note };
}

async function putEntry(client: ApiClient, list: string, body: object): Promise<PutEntry> {
  return client.get<PutEntry>(`v1/lists/${encodeURIComponent(list)}/entries`, {}, { method: 'PUT', body });
}

async function removeEntry(client: ApiClient, list: string, id: string): Promise<void> {
  await client.open(`v1/lists/${encodeURIComponent(list)}/entries/${id}`, {}, { method: 'DELETE' });
}
