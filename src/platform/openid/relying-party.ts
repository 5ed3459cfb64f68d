import { hash } from 'node:crypto';
import type { ClientAuth, Configuration, IDToken } from 'openid-client';
import { fetchByClients, IssuerUnavailable } from './fetch-by-clients.ts';

/** What an issuer says of somebody who signed in: claims of the ID token and of its userinfo endpoint. */
type Claims = Readonly<Record<string, unknown>>;

/**
 * Why nobody signed in: the issuer could not be asked, it said no (`refused`: the person changed their mind, or is
 * not let in there), or what came back does not hold (`failed`). `code` is for the log, and holds no claim.
 */
interface SignInFailure {
  readonly isSignedIn: false;
  readonly why: 'unavailable' | 'refused' | 'failed';
  readonly code: string;
}

/** How a sign-in ended. */
type SignInResult = { readonly isSignedIn: true; readonly claims: Claims } | SignInFailure;

/**
 * One client of one OpenID Connect issuer: the authorization code flow with PKCE, `state` and `nonce`. All three
 * are made of a secret that the browser holds meanwhile, so that nothing is kept here, and a code is of use in the
 * browser alone that asked for it.
 */
export interface RelyingParty {
  /** Where a browser goes to sign in. Never rejects. */
  begin(secret: string): Promise<URL | SignInFailure>;
  /** Who has come back with `search`, the query of the redirect. Never rejects. */
  finish(secret: string, search: string): Promise<SignInResult>;
  close(): Promise<void>;
}

interface RelyingPartyOptions {
  /** `https:`, or `http:` on loopback. */
  readonly issuer: URL;
  readonly clientId: string;
  /** Null for a public client. */
  readonly clientSecret: string | null;
  readonly redirectUri: string;
  /** `openid` and others, with blanks between. */
  readonly scope: string;
  /** Claims that are asked of the userinfo endpoint where the ID token lacks one of them. */
  readonly wantedClaims: readonly string[];
  readonly monotonicMs: () => number;
  readonly findProxy: (url: URL) => URL | null;
}

type Library = typeof import('openid-client');

interface Discovered {
  readonly library: Library;
  readonly configuration: Configuration;
}

/** What an issuer says of itself is believed for so long. Its keys are read again when an unknown one signs. */
const DISCOVERY_MS = 3_600_000;
/** An issuer that cannot be asked is asked again after so long. */
const ASK_AGAIN_MS = 3_000;
/** Of one request; ours is shorter. */
const TIMEOUT_SECONDS = 10;

/** Builds it. The issuer is asked when somebody first signs in, and not before. */
export function createRelyingParty(options: RelyingPartyOptions): RelyingParty {
  const { redirectUri, scope, monotonicMs, wantedClaims } = options;
  const requests = fetchByClients(options);
  let known: { readonly discovered: Promise<Discovered>; endsAtMs: number } | null = null;
  const discover = (): Promise<Discovered> => {
    if (known !== null && monotonicMs() < known.endsAtMs) return known.discovered;
    const entry = { discovered: readIssuer(options, requests.fetch), endsAtMs: monotonicMs() + DISCOVERY_MS };
    entry.discovered.catch(() => {
      entry.endsAtMs = Math.min(entry.endsAtMs, monotonicMs() + ASK_AGAIN_MS);
    });
    known = entry;
    return entry.discovered;
  };
  return {
    begin: async (secret) => {
      try {
        const { library, configuration } = await discover();
        const challenge = await library.calculatePKCECodeChallenge(derive('verifier', secret));
        return library.buildAuthorizationUrl(configuration, {
          redirect_uri: redirectUri,
          scope,
          state: derive('state', secret),
          nonce: derive('nonce', secret),
          code_challenge: challenge,
          code_challenge_method: 'S256',
        });
      } catch (error) {
        return toFailure(error);
      }
    },
    finish: async (secret, search) => {
      try {
        const { library, configuration } = await discover();
        const tokens = await library.authorizationCodeGrant(configuration, new URL(search, redirectUri), {
          pkceCodeVerifier: derive('verifier', secret),
          expectedState: derive('state', secret),
          expectedNonce: derive('nonce', secret),
          idTokenExpected: true,
        });
        const claims = tokens.claims();
        if (claims === undefined) return { isSignedIn: false, why: 'failed', code: 'NO_ID_TOKEN' };
        const isEnough = wantedClaims.every((name) => claims[name] !== undefined);
        const hasMore = configuration.serverMetadata().userinfo_endpoint !== undefined;
        if (isEnough || !hasMore) return { isSignedIn: true, claims };
        const more = await library.fetchUserInfo(configuration, tokens.access_token, claims.sub);
        return { isSignedIn: true, claims: { ...more, ...withoutAbsent(claims) } };
      } catch (error) {
        return toFailure(error);
      }
    },
    close: requests.close,
  };
}

async function readIssuer(
  { issuer, clientId, clientSecret }: RelyingPartyOptions,
  fetchNow: ReturnType<typeof fetchByClients>['fetch'],
): Promise<Discovered> {
  // Loaded when somebody signs in: services without people do without it.
  const library = await import('openid-client');
  const configuration = await library.discovery(
    issuer,
    clientId,
    undefined,
    clientSecret === null ? library.None() : proveWith(library, clientSecret),
    {
      [library.customFetch]: fetchNow,
      timeout: TIMEOUT_SECONDS,
      execute: [
        // The signature of ID tokens too, although they come over a connection of our own.
        library.enableNonRepudiationChecks,
        // Deprecated only to stand out: the configuration allows `http:` on loopback alone.
        // oxlint-disable-next-line typescript/no-deprecated
        ...(issuer.protocol === 'http:' ? [library.allowInsecureRequests] : []),
      ],
    },
  );
  return { library, configuration };
}

/** `client_secret_basic`, which every issuer must take, unless it says that it takes the other alone. */
function proveWith(library: Library, secret: string): ClientAuth {
  const basic = library.ClientSecretBasic(secret);
  const post = library.ClientSecretPost(secret);
  return (server, client, body, headers) => {
    const taken = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
    const isPost = taken.includes('client_secret_post') && !taken.includes('client_secret_basic');
    return (isPost ? post : basic)(server, client, body, headers);
  };
}

/** 43 characters, as long as a verifier must be at least (RFC 7636, section 4.1). */
function derive(purpose: 'state' | 'nonce' | 'verifier', secret: string): string {
  return hash('sha256', `riskgate oidc ${purpose} ${secret}`, 'base64url');
}

function withoutAbsent(claims: IDToken): Claims {
  return Object.fromEntries(Object.entries(claims).filter(([, value]) => value !== undefined));
}

/** Messages of the library can hold claims: they are not used. */
function toFailure(error: unknown): SignInFailure {
  let code = 'UNKNOWN';
  let why: SignInFailure['why'] = 'failed';
  for (let each = error; each instanceof Error; each = each.cause) {
    if (each instanceof IssuerUnavailable) return { isSignedIn: false, why: 'unavailable', code: each.code };
    if (each.name === 'AuthorizationResponseError') why = 'refused';
    const own: unknown = Reflect.get(each, 'code');
    if (typeof own === 'string' && /^[A-Z_]{1,64}$/.test(own)) code = own;
  }
  return { isSignedIn: false, why, code };
}
