import type { Clock } from '../../application/clock.ts';
import type { RelyingParty } from '../../platform/openid/relying-party.ts';
import { createPlaces } from '../../platform/places.ts';
import type { People } from './people.ts';
import type { Sessions } from './sessions.ts';
import { createWrongKeys } from './wrong-keys.ts';

/** Why nobody was signed in, as the page says it. */
export type NotSignedIn =
  | 'unavailable'
  | 'refused'
  | 'failed'
  | 'no_group'
  | 'too_many'
  | 'late'
  | 'not_kept';

/** Signing in at an issuer. Nothing in it rejects. */
export interface OpenIdSignIn {
  /** The page, without a query: `PUBLIC_URL` and its path. */
  readonly pageUrl: string;
  /** Where the browser goes. */
  begin(address: string | undefined, secret: string): Promise<URL | NotSignedIn>;
  /** What the browser is to hold, whose person has come back with `search`. */
  finish(
    address: string | undefined,
    secret: string,
    search: string,
  ): Promise<{ readonly token: string } | NotSignedIn>;
}

interface OpenIdSignInOptions {
  readonly pageUrl: string;
  readonly party: Pick<RelyingParty, 'begin' | 'finish'>;
  readonly people: Pick<People, 'personOf'>;
  readonly sessions: Pick<Sessions, 'openFor'>;
  readonly clock: Clock;
  /** How often one address may try in a minute. */
  readonly triesMax: number;
  /** Told of each try that came to nothing; `code` holds nothing of a person. */
  readonly onFailed: (why: NotSignedIn, code: string | null) => void;
}

/** Questions to the issuer under way at once, whoever makes us ask them. */
const CONCURRENT_MAX = 16;
const WAIT_MS = 2_000;

/** Builds it. Tries are bounded by address, because each may cost the issuer a question. */
export function createOpenIdSignIn(options: OpenIdSignInOptions): OpenIdSignIn {
  const { pageUrl, party, people, sessions, clock, triesMax, onFailed } = options;
  const tries = createWrongKeys({ clock, max: triesMax });
  const places = createPlaces({ max: CONCURRENT_MAX, waitingMax: 4 * CONCURRENT_MAX, waitMs: WAIT_MS });
  const fail = (why: NotSignedIn, code: string | null = null): NotSignedIn => {
    onFailed(why, code);
    return why;
  };
  const ask = async <Found>(
    address: string | undefined,
    question: () => Promise<Found>,
  ): Promise<Found | NotSignedIn> => {
    if (tries.note(address) !== null) return fail('too_many');
    let leave = (): void => {};
    const isGranted = await new Promise<boolean>((resolve) => {
      leave = places.take(resolve);
    });
    if (!isGranted) return fail('too_many');
    try {
      return await question();
    } finally {
      leave();
    }
  };
  return {
    pageUrl,
    begin: (address, secret) =>
      ask(address, async () => {
        const found = await party.begin(secret);
        return found instanceof URL ? found : fail(found.why, found.code);
      }),
    finish: (address, secret, search) =>
      ask(address, async () => {
        const result = await party.finish(secret, search);
        if (!result.isSignedIn) return fail(result.why, result.code);
        const person = people.personOf(result.claims);
        if (person === null) return fail('no_group');
        const token = await sessions.openFor(person);
        return token === null ? fail('not_kept') : { token };
      }),
  };
}
