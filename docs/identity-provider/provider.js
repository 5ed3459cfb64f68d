import { interactionPolicy, Provider } from 'oidc-provider';
import { ACR, createSignIn } from './sign-in.js';

const { Check, Prompt, base } = interactionPolicy;

/**
 * An OpenID provider whose sign-ins are decided by riskgate. `riskgate` is a client of @riskgate/client,
 * `accounts` knows people, and `log` takes what an operator should read.
 */
export function createIdentityProvider({ issuer, clients, jwks, cookieKeys, accounts, riskgate, log }) {
  const provider = new Provider(issuer, {
    clients,
    jwks,
    cookies: { keys: cookieKeys },
    acrValues: Object.values(ACR),
    claims: { openid: ['sub', 'acr', 'amr'] },
    features: { devInteractions: { enabled: false } },
    pkce: { required: () => true },
    findAccount: async (_ctx, id) => ({ accountId: id, claims: () => ({ sub: id }) }),
    interactions: { policy: createPolicy(), url: (_ctx, { uid }) => `/interaction/${uid}` },
    loadExistingGrant: grantOwnClients,
  });
  const signIn = createSignIn({ provider, accounts, riskgate, log });
  provider.use((ctx, next) => (/^\/interaction\/[\w-]+$/.test(ctx.path) ? signIn(ctx) : next()));
  return provider;
}

/**
 * After the password riskgate has to have been asked, in this authorization and about this account: a session
 * that was opened yesterday is no answer to what the device looks like today.
 */
function createPolicy() {
  const policy = base();
  const isUnasked = ({ oidc }) => oidc.result?.risk?.accountId !== oidc.session.accountId;
  const check = new Check('risk_not_asked', 'the risk of this sign-in is not known', isUnasked);
  policy.add(new Prompt({ name: 'risk', requestable: false }, check), 1);
  return policy;
}

/** The clients are ours: nobody is asked for consent. */
async function grantOwnClients({ oidc: { client, session, provider } }) {
  const granted = session.grantIdFor(client.clientId);
  if (granted) return provider.Grant.find(granted);
  const grant = new provider.Grant({ clientId: client.clientId, accountId: session.accountId });
  grant.addOIDCScope('openid');
  await grant.save();
  return grant;
}
