import { hash } from 'node:crypto';
import { createOpenIdSignIn, type OpenIdSignIn } from '../http/callers/openid-sign-in.ts';
import { createPeople, type People } from '../http/callers/people.ts';
import type { Sessions } from '../http/callers/sessions.ts';
import { createRelyingParty } from '../platform/openid/relying-party.ts';
import { createFindProxy } from '../platform/proxy-rules.ts';
import { createThrottle } from '../platform/throttle.ts';
import type { AppContext } from './context.ts';

/** Strangers can fail as often as they like; this time has one line of each kind. */
const LINE_MS = 10_000;

/** Signing in with OpenID Connect. */
interface OpenId {
  readonly people: People;
  signInOver(sessions: Sessions): OpenIdSignIn;
  close(): Promise<void>;
}

/** Wires it; null where it is not configured. The issuer is not asked yet: a start does not depend on it. */
export function wireOpenId({ config, clock, logger }: AppContext): OpenId | null {
  const { oidc, publicUrl, wrongKeysMax, proxy } = config;
  if (oidc === null || publicUrl === null) return null;
  const { issuer, clientId, clientSecret, groups, groupsClaim, nameClaim, scope } = oidc;
  const party = createRelyingParty({
    issuer: new URL(issuer),
    clientId,
    clientSecret,
    redirectUri: `${publicUrl}/v1/session/oidc/callback`,
    scope,
    wantedClaims: [groupsClaim, nameClaim],
    monotonicMs: clock.monotonicMs,
    findProxy: createFindProxy(proxy),
  });
  const people = createPeople({
    source: hash('sha256', JSON.stringify([issuer, clientId])),
    groups: new Map(Object.entries(groups)),
    groupsClaim,
    nameClaim,
  });
  const throttle = createThrottle(LINE_MS, clock.monotonicMs);
  return {
    people,
    signInOver: (sessions) =>
      createOpenIdSignIn({
        pageUrl: `${publicUrl}/dashboard`,
        party,
        people,
        sessions,
        clock,
        triesMax: wrongKeysMax,
        onFailed: (why, code) => {
          const count = throttle.note(why);
          if (count === 0) return;
          const line = { event: 'sign_in.failed', why, code, count };
          logger.warn(line, 'nobody was signed in with OpenID Connect');
        },
      }),
    close: party.close,
  };
}
