import * as oidc from 'openid-client';

/** What a sign-in came to: the claims of the ID token, or the error that the relying party was told. */
export type SignedIn = { readonly claims: Readonly<Record<string, unknown>> } | { readonly error: string };

/** One authorization under way in a browser. */
interface Authorization {
  /** The page that the browser was sent to; null where it was sent back without one. */
  readonly page: string | null;
  /** Sends the form of the page. Returns the next page, or what the sign-in came to. */
  submit(
    fields: Readonly<Record<string, string>>,
  ): Promise<{ readonly status: number; readonly page: string } | SignedIn>;
  /** What it came to, where no page was shown. */
  readonly ended: SignedIn | null;
}

/** A browser with its cookies, at a relying party that takes the code flow with PKCE by openid-client. */
export async function openBrowser(issuer: string, clientId: string, redirectUri: string) {
  const config = await oidc.discovery(new URL(issuer), clientId, undefined, oidc.None(), {
    // Called deprecated so that it stands out: over loopback nothing else is possible.
    // oxlint-disable-next-line typescript/no-deprecated
    execute: [oidc.allowInsecureRequests],
  });
  const cookies = new Map<string, string>();
  const ask = async (url: string, init: Pick<RequestInit, 'method' | 'body'> = {}) => {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { ...init, redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
      if (value === '') cookies.delete(name);
      else cookies.set(name, value);
    }
    return response;
  };
  return {
    /** Begins an authorization. A browser that signed in before has a session. */
    begin: async (): Promise<Authorization> => {
      const verifier = oidc.randomPKCECodeVerifier();
      const expected = { state: oidc.randomState(), nonce: oidc.randomNonce() };
      const start = oidc.buildAuthorizationUrl(config, {
        redirect_uri: redirectUri,
        scope: 'openid',
        code_challenge: await oidc.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...expected,
      });
      const finish = async (callback: string): Promise<SignedIn> => {
        const error = new URL(callback).searchParams.get('error');
        if (error !== null) return { error };
        const tokens = await oidc.authorizationCodeGrant(config, new URL(callback), {
          pkceCodeVerifier: verifier,
          expectedState: expected.state,
          expectedNonce: expected.nonce,
          idTokenExpected: true,
        });
        return { claims: { ...tokens.claims() } };
      };
      let at = start.href;
      /** Follows redirects to a page, or back to the relying party. */
      const follow = async (first: Response) => {
        let response = first;
        for (let location = response.headers.get('location'); location !== null; ) {
          at = new URL(location, at).href;
          if (at.startsWith(redirectUri)) return finish(at);
          response = await ask(at);
          location = response.headers.get('location');
        }
        return { status: response.status, page: await response.text() };
      };
      const began = await follow(await ask(at));
      return {
        page: 'page' in began ? began.page : null,
        ended: 'page' in began ? null : began,
        submit: async (fields) =>
          follow(await ask(at, { method: 'POST', body: new URLSearchParams(fields) })),
      };
    },
  };
}
