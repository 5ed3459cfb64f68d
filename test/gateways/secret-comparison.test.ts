import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import t from 'tap';
import type { GatewayProfile } from '../../src/gateways/profile.ts';

/** What is hashed, and how often digests are compared. Counted from before the code under test is loaded. */
const hashed: string[] = [];
let compared = 0;
const { hash, timingSafeEqual } = crypto;
const countHash = (algorithm: string, data: string, encoding: 'buffer') => {
  hashed.push(data);
  return hash(algorithm, data, encoding);
};
crypto.hash = countHash as typeof hash;
crypto.timingSafeEqual = (left, right) => {
  compared += 1;
  return timingSafeEqual(left, right);
};
syncBuiltinESMExports();
t.teardown(() => {
  Object.assign(crypto, { hash, timingSafeEqual });
  syncBuiltinESMExports();
});

const { authenticateGateway, createIsGateway } = await import('../../src/gateways/authenticate-gateway.ts');
const { DEFAULT_PROFILE } = await import('../../src/gateways/profile.ts');

const LENGTH_MAX = 256;
const LONGEST = 'x'.repeat(LENGTH_MAX);
const TOO_LONG = `${LONGEST}x`;

const secretProfile = (name: string, secret: string): GatewayProfile => ({
  ...DEFAULT_PROFILE,
  name,
  caller: { kind: 'secret', header: 'x-secret', digests: [hash('sha256', secret, 'buffer')] },
});
const ofSecret = (secret: string) => ({ headers: { 'x-secret': [secret] }, peerAddress: undefined });

t.beforeEach(() => {
  hashed.length = 0;
  compared = 0;
});

t.test('hashes a presented secret once, however many profiles it is compared with', async (t) => {
  const named = Array.from({ length: 50 }, (_, place) => secretProfile(`p${place}`, `secret ${place}`));
  const byName = new Map(named.map((profile) => [profile.name, profile]));
  const profiles = { byName, wellKnown: [] };
  const isGateway = createIsGateway(
    () => profiles,
    () => null,
  );
  t.equal(isGateway(ofSecret('wrong')), false);
  t.same(hashed, ['wrong']);
  t.equal(compared, 50);
  t.equal(isGateway(ofSecret('secret 49')), true);
  t.equal(isGateway(ofSecret('secret 50')), false, 'no digest is left from the call before');
});

t.test('takes a secret of 256 characters, and does not read a longer one', async (t) => {
  const longest = secretProfile('longest', LONGEST);
  t.same(
    authenticateGateway(ofSecret(LONGEST), longest, () => null),
    { id: 'gateway:longest', limits: null },
  );
  hashed.length = 0;
  compared = 0;
  t.equal(
    authenticateGateway(ofSecret(TOO_LONG), secretProfile('longer', TOO_LONG), () => null),
    null,
  );
  t.same([[...hashed], compared], [[], 0]);
});

t.test('does not look up a key of more than 256 characters', async (t) => {
  const asked: string[] = [];
  const holder = { id: 'edge', limits: null };
  const find = (key: string) => {
    asked.push(key);
    return holder;
  };
  const ofKey = (key: string) => ({ headers: { 'x-riskgate-key': [key] }, peerAddress: undefined });
  t.equal(authenticateGateway(ofKey(LONGEST), DEFAULT_PROFILE, find), holder);
  t.equal(authenticateGateway(ofKey(TOO_LONG), DEFAULT_PROFILE, find), null);
  t.same(asked, [LONGEST]);
});
