import { createLocalJWKSet, createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from 'jose';
import type { Clock } from '../../application/clock.ts';
import type { HttpClient } from '../../platform/http-client.ts';
import { isKeySet } from './key-set-text.ts';

/** The keys of a transmitter cannot be had for now: nothing is known of what it signed. */
export class KeysUnavailable extends Error {
  override readonly name = 'KeysUnavailable';
}

interface RemoteKeysOptions {
  readonly url: URL;
  /** To the origin of the URL, without its path. It follows no redirect, and caps what it reads. */
  readonly client: Pick<HttpClient, 'exchange'>;
  readonly clock: Clock;
}

const FETCH_BUDGET_MS = 3_000;
/** Keys are taken for good for so long. */
const FRESH_MS = 600_000;
/** An unknown key makes it ask for the keys again, at most so often. */
const COOLDOWN_MS = 30_000;
/** After a failure nobody is asked for so long, however many tokens come. */
const FAILED_MS = 5_000;

/** The keys at the URL of a transmitter: asked for when they are needed, at most as often as above. */
export function createRemoteKeys({ url, client, clock }: RemoteKeysOptions): JWTVerifyGetKey {
  let failedAtMs = Number.NEGATIVE_INFINITY;
  const fetchKeys = async (): Promise<Response> => {
    if (clock.monotonicMs() - failedAtMs < FAILED_MS) throw new KeysUnavailable('failed just before');
    const path = `${url.pathname}${url.search}`;
    const headers = { accept: 'application/jwk-set+json, application/json' };
    const result = await client.exchange({ method: 'GET', path, headers }, FETCH_BUDGET_MS);
    const isGood =
      result.kind === 'response' && result.response.status === 200 && isKeySet(result.response.body);
    if (isGood) return new Response(result.response.body);
    failedAtMs = clock.monotonicMs();
    const status = result.kind === 'response' ? ` ${result.response.status}` : '';
    throw new KeysUnavailable(`${result.kind}${status}`);
  };
  return createRemoteJWKSet(url, {
    [customFetch]: fetchKeys,
    cacheMaxAge: FRESH_MS,
    cooldownDuration: COOLDOWN_MS,
    timeoutDuration: 2 * FETCH_BUDGET_MS,
  });
}

/** The keys of a text that is a key set. */
export function createLocalKeys(text: string): JWTVerifyGetKey {
  return createLocalJWKSet(JSON.parse(text) as Parameters<typeof createLocalJWKSet>[0]);
}
