import { signal } from '@preact/signals';
import { type ApiClient, ApiError, createApiClient } from './api-client.ts';
import type { PolicyInForce } from './wire.ts';

/**
 * Signed in with a key that may read. The key is in the client's closure and nowhere else: a reload asks for
 * it again.
 */
export interface Session {
  readonly client: ApiClient;
  readonly policy: PolicyInForce;
}

/** What the sign-in says about the last try. */
export type SignInNotice = 'none' | 'wrong_key' | 'no_permission' | 'too_many' | 'unreachable' | 'ended';

/** Who is signed in; null while nobody is. */
export const session = signal<Session | null>(null);

/** What the sign-in page says. */
export const notice = signal<SignInNotice>('none');
/** What the service said about it, where it said more. */
export const noticeDetail = signal('');

/** Tries a key, and signs in when it may read. Never rejects. */
export async function signIn(key: string): Promise<void> {
  if (!/^[\x21-\x7e]+$/.test(key)) {
    // Not a header value, and so no key of this service either.
    say('wrong_key');
    return;
  }
  const client = createApiClient(key);
  try {
    const policy = await client.get<PolicyInForce>('v1/policy');
    say('none');
    session.value = { client, policy };
  } catch (error) {
    say(noticeOf(error), error);
  }
}

/** Forgets the key. */
export function signOut(): void {
  session.value = null;
  say('none');
}

/** To be called with any failed answer: a key that is not taken any more ends the session. */
export function endSessionOn(error: unknown): void {
  if (!(error instanceof ApiError) || session.value === null) return;
  if (error.status === 401) endSession('ended', error);
  if (error.status === 403) endSession('no_permission', error);
}

function endSession(why: SignInNotice, error: ApiError): void {
  session.value = null;
  say(why, error);
}

function say(value: SignInNotice, error?: unknown): void {
  notice.value = value;
  noticeDetail.value = error instanceof ApiError ? error.message : '';
}

function noticeOf(error: unknown): SignInNotice {
  const status = error instanceof ApiError ? error.status : 0;
  if (status === 401) return 'wrong_key';
  if (status === 403) return 'no_permission';
  return status === 429 ? 'too_many' : 'unreachable';
}
