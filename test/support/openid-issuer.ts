import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import Provider from 'oidc-provider';
import { portOf } from './test-app.ts';

export interface IssuerAccount {
  readonly name?: unknown;
  readonly groups?: unknown;
}

/** A real OpenID Connect provider on loopback, at which people sign in by a click that is made for them. */
export interface OpenIdIssuer {
  readonly issuer: string;
  /** Whose browser it is from now on; null is somebody who refuses. */
  signInAs(account: string | null): void;
  /** How often each of its addresses was asked. */
  readonly asked: ReadonlyMap<string, number>;
  /** Makes every answer a 503, or does so no longer. */
  fail(isFailing: boolean): void;
}

export const OPENID_CLIENT = { id: 'riskgate-page', secret: 'the secret of the page at the issuer' } as const;

interface OpenIdIssuerOptions {
  readonly redirectUri: string;
  readonly accounts: Readonly<Record<string, IssuerAccount>>;
  /** Claims in the ID token itself; otherwise the userinfo endpoint has them. */
  readonly isInToken?: boolean;
  readonly authMethod?: 'client_secret_basic' | 'client_secret_post';
  /** A name of loopback. For browsers, `localhost` is another site than `127.0.0.1`. */
  readonly hostname?: 'localhost';
}

/** Starts it. It ends with the test. */
export async function startOpenIdIssuer(
  t: { teardown(handler: () => unknown): unknown },
  options: OpenIdIssuerOptions,
): Promise<OpenIdIssuer> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(() => end(server));
  const issuer = `http://${options.hostname ?? '127.0.0.1'}:${portOf(server.address())}`;
  const provider = new Provider(issuer, toConfiguration(options));
  const asked = new Map<string, number>();
  let account: string | null = Object.keys(options.accounts)[0] ?? null;
  let isFailing = false;
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const path = new URL(request.url ?? '/', issuer).pathname;
    asked.set(path, (asked.get(path) ?? 0) + 1);
    if (isFailing) response.writeHead(503).end();
    else if (path.startsWith('/interaction/')) void interact(provider, request, response, account);
    else provider.callback()(request, response);
  });
  return {
    issuer,
    asked,
    signInAs: (name) => {
      account = name;
    },
    fail: (failing) => {
      isFailing = failing;
    },
  };
}

function toConfiguration({ redirectUri, accounts, isInToken = false, authMethod }: OpenIdIssuerOptions) {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const method = authMethod ?? 'client_secret_basic';
  return {
    clients: [
      {
        client_id: OPENID_CLIENT.id,
        client_secret: OPENID_CLIENT.secret,
        application_type: 'native',
        redirect_uris: [redirectUri],
        response_types: ['code'],
        grant_types: ['authorization_code'],
        token_endpoint_auth_method: method,
      },
    ],
    clientAuthMethods: [method],
    jwks: {
      keys: [{ ...privateKey.export({ format: 'jwk' }), use: 'sig', alg: 'RS256', kid: 'of-the-test' }],
    },
    cookies: { keys: [randomBytes(16).toString('hex')] },
    pkce: { required: () => true },
    conformIdTokenClaims: !isInToken,
    claims: { openid: ['sub'], profile: ['name', 'groups'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_context: unknown, { uid }: { uid: string }) => `/interaction/${uid}` },
    ttl: {
      AccessToken: 600,
      AuthorizationCode: 60,
      IdToken: 600,
      Session: 3600,
      Grant: 3600,
      Interaction: 600,
    },
    findAccount: (_context: unknown, sub: string) => ({
      accountId: sub,
      claims: () => ({ sub, ...accounts[sub] }),
    }),
  };
}

async function interact(
  provider: Provider,
  request: IncomingMessage,
  response: ServerResponse,
  account: string | null,
): Promise<void> {
  const { prompt, params, session } = await provider.interactionDetails(request, response);
  if (account === null) {
    const refusal = { error: 'access_denied', error_description: 'a <b>text</b> of the issuer' };
    await provider.interactionFinished(request, response, refusal);
  } else if (prompt.name === 'login') {
    await provider.interactionFinished(request, response, { login: { accountId: account } });
  } else {
    const grant = new provider.Grant({
      accountId: session?.accountId ?? account,
      clientId: params['client_id'],
    });
    grant.addOIDCScope('openid profile');
    const consent = { grantId: await grant.save() };
    await provider.interactionFinished(request, response, { consent }, { mergeWithLastSubmission: true });
  }
}

async function end(server: Server): Promise<void> {
  server.closeAllConnections();
  server.close();
  await once(server, 'close');
}

/** A browser that keeps cookies and follows redirects until one leads to `stop`, which it returns. */
export async function followRedirects(from: string, stop: string): Promise<string> {
  const cookies = new Map<string, string>();
  let location = from;
  for (let hop = 0; hop < 12 && !location.startsWith(stop); hop += 1) {
    const cookie = [...cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(location, { redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const at = pair.indexOf('=');
      cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    const next = response.headers.get('location');
    if (next === null) throw new Error(`${response.status} at ${location}: ${await response.text()}`);
    location = new URL(next, location).href;
  }
  return location;
}
