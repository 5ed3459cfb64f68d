import { deviceOf } from './traffic-subjects.ts';

/** Who is on lists in the demo, so that its traffic meets each: a device, an account, a network. */
const ENTRIES = [
  { list: 'blocked', entry: { device_id: deviceOf(8), note: 'reported stolen' } },
  { list: 'watched', entry: { account_id: 'acct_7', note: 'was taken over once' } },
  { list: 'blocked', entry: { ip: '198.51.100.0/24', note: 'a hosting network' } },
] as const;

/** Puts entries on the lists of the service at `origin`. Rejects when it does not answer. */
export async function fillLists(origin: string, key: string): Promise<void> {
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
  for (const { list, entry } of ENTRIES)
    await fetch(`${origin}/v1/lists/${list}/entries`, {
      method: 'PUT',
      headers,
      body: JSON.stringify(entry),
    });
}
