import { generateKeyPairSync, randomBytes, scryptSync } from 'node:crypto';
import { createServer } from 'node:http';
import { createClient } from '@riskgate/client';
import { createAccounts } from './accounts.js';
import { createIdentityProvider } from './provider.js';

const { PORT = '3000', REDIRECT_URI = 'http://127.0.0.1:4000/callback' } = process.env;

const salt = randomBytes(16).toString('hex');
const people = [{ id: 'acct-alice', name: 'alice', salt, hash: scryptSync('wonderland', salt, 32) }];
// What your message service does.
const deliver = async (accountId, code) => console.log(`code for ${accountId}: ${code}`);

const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });

const server = createServer();
server.listen(Number(PORT), '127.0.0.1', () => {
  const { port } = server.address();
  const provider = createIdentityProvider({
    issuer: `http://127.0.0.1:${port}`,
    clients: [
      {
        client_id: 'shop',
        token_endpoint_auth_method: 'none',
        redirect_uris: [REDIRECT_URI],
        id_token_signed_response_alg: 'ES256',
      },
    ],
    jwks: { keys: [privateKey.export({ format: 'jwk' })] },
    cookieKeys: [randomBytes(32).toString('hex')],
    accounts: createAccounts({ people, deliver }),
    riskgate: createClient({ url: process.env.RISKGATE_URL, apiKey: process.env.RISKGATE_API_KEY }),
    log: (line) => console.log(line),
  });
  server.on('request', provider.callback());
  console.log(`issuer: http://127.0.0.1:${port}`);
});
