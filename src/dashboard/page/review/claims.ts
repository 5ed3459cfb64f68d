import { signal } from '@preact/signals';
import { heldBy } from '../act/walk.ts';
import type { ApiClient } from '../api-client.ts';
import { endSessionOnUnknown, mayReview } from '../session.ts';
import type { ReviewClaims } from '../wire-acts.ts';

type Claim = ReviewClaims['claims'][number];

/** Who reviews what, by the ids of decisions, as last heard. */
export const claims = signal<ReadonlyMap<string, Claim>>(new Map());

/** So often are others' claims asked for. */
const LOOK_MS = 5_000;
/** Well within the five minutes that a decision is taken for. */
const RENEW_MS = 60_000;

/** Asks for claims until the returned function is called. */
export function followClaims(client: ApiClient): () => void {
  const ending = new AbortController();
  const look = async (): Promise<void> => {
    try {
      const told = await client.get<ReviewClaims>('v1/review/claims', {}, { signal: ending.signal });
      claims.value = byId(told.claims);
    } catch (error) {
      // What was heard before stands; whoever takes a decision is told then.
      if (!ending.signal.aborted) endSessionOnUnknown(error);
    }
  };
  void look();
  const looking = setInterval(() => void look(), LOOK_MS);
  return () => {
    clearInterval(looking);
    ending.abort();
  };
}

/** Takes a decision. Who has it then, where that is somebody else; null where it is taken, or nobody can tell. */
export async function take(client: ApiClient, id: string): Promise<string | null> {
  if (!mayReview()) return null;
  try {
    const body = { decision_ids: [id] };
    const told = await client.get<ReviewClaims>('v1/review/claims', {}, { method: 'POST', body });
    claims.value = new Map([...claims.value, ...byId(told.claims)]);
    const [claim] = told.claims;
    return claim === undefined || claim.is_mine ? null : claim.name;
  } catch (error) {
    endSessionOnUnknown(error);
    return null;
  }
}

/** Has a decision taken while it is open, and says where somebody else has it. */
export function hold(client: ApiClient, id: string): () => void {
  let isOpen = true;
  const renew = async (): Promise<void> => {
    const other = await take(client, id);
    if (isOpen) heldBy.value = other;
  };
  void renew();
  const renewing = setInterval(() => void renew(), RENEW_MS);
  return () => {
    isOpen = false;
    clearInterval(renewing);
    heldBy.value = null;
    if (mayReview()) void giveBack(client, id);
  };
}

async function giveBack(client: ApiClient, id: string): Promise<void> {
  try {
    await client.open(`v1/review/claims/${id}`, {}, { method: 'DELETE' });
    claims.value = new Map(
      [...claims.value].filter(([known, { is_mine: isMine }]) => known !== id || !isMine),
    );
  } catch (error) {
    // It is free again by itself.
    endSessionOnUnknown(error);
  }
}

function byId(told: readonly Claim[]): ReadonlyMap<string, Claim> {
  return new Map(told.map((claim) => [claim.decision_id, claim]));
}
