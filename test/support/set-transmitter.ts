import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { Test } from 'tap';
import { portOf } from './test-app.ts';

export const ISSUER = 'https://idp.example.com';
export const AUDIENCE = 'https://risk.example.com';
export const CAEP = 'https://schemas.openid.net/secevent/caep/event-type/';
export const RISC = 'https://schemas.openid.net/secevent/risc/event-type/';

/** What a token is signed with instead of what it should be. */
export interface SetOverrides {
  readonly header?: object;
  readonly claims?: object;
  readonly key?: CryptoKey | Uint8Array;
}

/** A transmitter with a key of its own, over HTTP on loopback. */
export interface SetTransmitter {
  readonly origin: string;
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
  /** Of its key set, and of polls. */
  readonly asked: { keys: number; polls: object[] };
  /** What a GET of the key set answers; null is the key set. */
  keysAnswer: { readonly status: number; readonly body: string } | null;
  /** The next answers to polls, each once; empty sets follow. */
  readonly pollAnswers: { status?: number; body: object | string }[];
  /** A signed security event token about one event. */
  sign(type: string, body: object, subject: object | null, overrides?: SetOverrides): Promise<string>;
}

let jtis = 0;

/** Starts it; it ends with the test. */
export async function startTransmitter(t: Pick<Test, 'teardown'>): Promise<SetTransmitter> {
  const { privateKey, publicKey } = await generateKeyPair('ES256', { extractable: true });
  const jwks = JSON.stringify({
    keys: [{ ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' }],
  });
  const server = createServer((request, response) => void answer(transmitter, jwks, request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  const transmitter: SetTransmitter = {
    origin: `http://127.0.0.1:${portOf(server.address())}`,
    privateKey,
    publicKey,
    asked: { keys: 0, polls: [] },
    keysAnswer: null,
    pollAnswers: [],
    sign: async (type, body, subject, { header = {}, claims = {}, key = privateKey } = {}) => {
      jtis += 1;
      const set = {
        iss: ISSUER,
        aud: AUDIENCE,
        jti: `jti-${jtis}`,
        iat: Math.floor(Date.now() / 1000),
        ...(subject !== null && { sub_id: subject }),
        events: { [type]: body },
        ...claims,
      };
      return new SignJWT(set)
        .setProtectedHeader({ alg: 'ES256', kid: 'k1', typ: 'secevent+jwt', ...header })
        .sign(key);
    },
  };
  return transmitter;
}

async function answer(
  transmitter: SetTransmitter,
  jwks: string,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { asked, keysAnswer, pollAnswers } = transmitter;
  if (request.method === 'GET') {
    asked.keys += 1;
    response.writeHead(keysAnswer?.status ?? 200, { 'content-type': 'application/json' });
    response.end(keysAnswer?.body ?? jwks);
    return;
  }
  let text = '';
  for await (const chunk of request) text += String(chunk);
  asked.polls.push({ ...(JSON.parse(text) as object), authorization: request.headers.authorization });
  const { status = 200, body } = pollAnswers.shift() ?? { body: { sets: {} } };
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(typeof body === 'string' ? body : JSON.stringify(body));
}
