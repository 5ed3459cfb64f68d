import { signal } from '@preact/signals';
import type { ApiClient } from './api-client.ts';
import type { Marker } from './draw-markers.ts';
import type { PolicyEntry, PolicyHistory } from './wire-policies.ts';

/** When another policy came into force, the latest first, as far as that is remembered. */
export const policyMarkers = signal<readonly Marker[]>([]);

const EVERY_MS = 30_000;

/** Reads when policies changed, again and again, until the returned function is called. */
export function followPolicyMarkers(client: ApiClient, onError: (error: unknown) => void): () => void {
  const ending = new AbortController();
  const { signal: ended } = ending;
  const read = async (): Promise<void> => {
    try {
      const { policies } = await client.get<PolicyHistory>('v1/policies/history', {}, { signal: ended });
      policyMarkers.value = toMarkers(policies);
    } catch (error) {
      if (!ended.aborted) onError(error);
    }
  };
  void read();
  const timer = setInterval(() => document.hidden || void read(), EVERY_MS);
  return () => {
    ending.abort();
    clearInterval(timer);
  };
}

/** Where in a window policies changed: 0 is its beginning, and 1 its end. */
export function marksWithin({
  since,
  until,
}: {
  readonly since: string;
  readonly until: string;
}): readonly number[] {
  const [fromMs, toMs] = [Date.parse(since), Date.parse(until)];
  return policyMarkers.value
    .map(({ atMs }) => (atMs - fromMs) / (toMs - fromMs))
    .filter((place) => place >= 0 && place < 1);
}

/** The first policy of a process is no change. */
export function toMarkers(policies: readonly PolicyEntry[]): readonly Marker[] {
  return policies
    .filter(({ previous_hash: previous }) => previous !== null)
    .map((entry) => ({
      atMs: Date.parse(entry.since),
      text: `${entry.id} ${shortPolicyHash(entry.hash)} ${tellCause(entry)}`,
    }));
}

/** Ten digits of the hash of a policy: enough to tell those on a page apart. */
export function shortPolicyHash(hash: string): string {
  return hash.replace('sha256:', '').slice(0, 10);
}

const CAUSES: Readonly<Record<string, string>> = {
  file: 'taken from a file',
  promoted: 'promoted',
  restored: 'restored',
  rolled_back: 'rolled back',
  released: 'files counted again',
};

/** How a policy came into force, for a person. */
export function tellCause({ why, by }: Pick<PolicyEntry, 'why' | 'by'>): string {
  const cause = CAUSES[why] ?? why;
  return by === null ? cause : `${cause} by ${by}`;
}
