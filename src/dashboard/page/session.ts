import { signal } from '@preact/signals';
import { type ApiClient, ApiError, createApiClient } from './api-client.ts';
import type { PolicyInForce, SessionState } from './wire.ts';

/**
 * Signed in with a key that may read, which was given away for a session that the browser holds and no script
 * reads. Where the browser keeps none (plain HTTP that is not loopback), the key stays in the client's closure
 * and nowhere else, so that a reload asks for it again.
 */
export interface Session {
  readonly client: ApiClient;
  readonly policy: PolicyInForce;
  /** The id of the API key, or the name of the person. */
  readonly caller: string;
  /** What the key or the person may do. */
  readonly scopes: readonly string[];
}

/** What the sign-in says about the last try. */
export type SignInNotice =
  | 'none'
  | 'wrong_key'
  | 'no_permission'
  | 'too_many'
  | 'unreachable'
  | 'ended'
  | 'still_open'
  | IssuerNotice;

/** Why nobody was signed in with OpenID Connect, as the service says it in the page's fragment. */
const ISSUER_NOTICES = ['refused', 'failed', 'late', 'not_kept', 'no_group', 'unavailable'] as const;
type IssuerNotice = (typeof ISSUER_NOTICES)[number];

/** Who is signed in; null while nobody is, undefined until it is known. */
export const session = signal<Session | null | undefined>(undefined);

/** What the sign-in page says. */
export const notice = signal<SignInNotice>('none');
/** What the service said about it, where it said more. */
export const noticeDetail = signal('');

/** Whether people can sign in with OpenID Connect. */
export const isOpenIdOffered = signal(false);

/** Where they do, and come back to what the page shows. */
export function openIdAddress(): string {
  return `v1/session/oidc?${new URLSearchParams({ to: location.search })}`;
}

/** Goes on with the session that the browser holds, if it does. Never rejects. */
export async function resumeSession(): Promise<void> {
  try {
    const state = await readState();
    if (!state.signed_in) {
      session.value = null;
      say(takeIssuerNotice());
      return;
    }
    await enter(createApiClient(null), state);
  } catch (error) {
    session.value = null;
    say(noticeOf(error), error);
  }
}

/** Tries a key, and signs in when it may read. Never rejects. */
export async function signIn(key: string): Promise<void> {
  if (!/^[\x21-\x7e]+$/.test(key)) {
    // Not a header value, and so no key of this service either.
    say('wrong_key');
    return;
  }
  const withKey = createApiClient(key);
  try {
    const opened = await withKey.get<Known>('v1/session', {}, { method: 'POST' });
    const state = await readState();
    await enter(state.signed_in ? createApiClient(null) : withKey, opened);
  } catch (error) {
    say(noticeOf(error), error);
  }
}

type Known = Pick<SessionState, 'caller' | 'scopes'>;

async function readState(): Promise<SessionState> {
  const state = await createApiClient(null).get<SessionState>('v1/session');
  isOpenIdOffered.value = state.openid;
  return state;
}

/** Reads the fragment, which a reload or a bookmark is not to repeat. */
function takeIssuerNotice(): SignInNotice {
  const [, why] = /^#sign-in=([a-z_]+)$/.exec(location.hash) ?? [];
  if (why === undefined) return 'none';
  history.replaceState(null, '', location.pathname + location.search);
  return why === 'too_many' ? why : (ISSUER_NOTICES.find((known) => known === why) ?? 'failed');
}

async function enter(client: ApiClient, { caller = '', scopes = [] }: Known): Promise<void> {
  const policy = await client.get<PolicyInForce>('v1/policy');
  say('none');
  session.value = { client, policy, caller, scopes };
}

/** Whether who is signed in may label decisions and change lists. */
export function mayReview(): boolean {
  return session.value?.scopes.includes('review') === true;
}

/** Ends the session, here and in the service. Never rejects. */
export async function signOut(): Promise<void> {
  const client = session.value?.client;
  session.value = null;
  say('none');
  try {
    await client?.open('v1/session', {}, { method: 'DELETE' });
  } catch (error) {
    say('still_open', error);
  }
}

/** To be called with a failed act: what one may not do is no reason to be signed out. */
export function endSessionOnUnknown(error: unknown): void {
  if (error instanceof ApiError && error.status === 401) endSessionOn(error);
}

/** To be called with any failed answer: a key that is not taken any more ends the session. */
export function endSessionOn(error: unknown): void {
  if (!(error instanceof ApiError) || !session.value) return;
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
