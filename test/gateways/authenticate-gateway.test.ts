import t from 'tap';
import { authenticateGateway, type FindKeyHolder } from '../../src/gateways/authenticate-gateway.ts';
import { loadProfiles } from '../../src/gateways/load-profiles.ts';
import {
  askGateway,
  createGatewayApp,
  GATEWAY_SECRET,
  GATEWAY_SECRET_SHA256,
  riskOf,
} from '../support/ask-gateway.ts';
import { KEYS, startEmulators } from '../support/test-app.ts';

const nobody: FindKeyHolder = () => null;

function profileOf(caller: object) {
  const loaded = loadProfiles(JSON.stringify({ profiles: { one: { caller } } }));
  const profile = loaded.ok ? loaded.value.byName.get('one') : undefined;
  if (profile === undefined) throw new Error('a good profile');
  return profile;
}

t.test('knows a gateway by its address, however the socket spells it', async (t) => {
  const profile = profileOf({ addresses: ['10.1.0.0/16', '::ffff:192.0.2.7', '2001:DB8::/32'] });
  const isKnown = (peerAddress: string | undefined) =>
    authenticateGateway({ headers: {}, peerAddress }, profile, nobody)?.id === 'gateway:one';
  for (const address of [
    '10.1.2.3',
    '::ffff:10.1.2.3',
    '::FFFF:192.0.2.7',
    '::ffff:a01:203',
    '2001:db8::1',
    '2001:db8::1%eth0',
  ])
    t.ok(isKnown(address), address);
  for (const address of ['10.2.0.1', '192.0.2.8', '::1', '2001:db9::1', '', 'localhost', undefined])
    t.notOk(isKnown(address), String(address));
});

t.test('an address list is about the connection, never about what a header claims', async (t) => {
  const app = await createGatewayApp(t, { near: { caller: { addresses: ['10.1.0.0/16'] } } });
  const ask = { profile: 'near', key: null };
  t.equal((await askGateway(app, { ...ask, address: '10.1.0.9' })).status, 200);
  const headers = { 'x-forwarded-for': '10.1.0.9', 'x-real-ip': '10.1.0.9', forwarded: 'for=10.1.0.9' };
  t.equal(riskOf(await askGateway(app, { ...ask, headers })), 'BLOCK none CALLER_UNKNOWN');
});

const emulators = await startEmulators(t);
const app = await createGatewayApp(
  t,
  {
    secret: { caller: { header: 'X-Gate', sha256: [GATEWAY_SECRET_SHA256, 'b'.repeat(64)] } },
    key: { caller: { api_key_header: 'X-Gate' } },
  },
  { emulators },
);
const CALLER_UNKNOWN = 'BLOCK none CALLER_UNKNOWN';

t.test('knows a gateway by the secret of its profile, and by nothing else', async (t) => {
  const ask = (headers: Readonly<Record<string, string | readonly string[]>>) =>
    askGateway(app, { profile: 'secret', key: null, headers });
  t.equal((await ask({ 'x-gate': GATEWAY_SECRET })).status, 200);
  for (const headers of [
    {},
    { 'x-gate': '' },
    { 'x-gate': 'wrong' },
    { 'x-gate': GATEWAY_SECRET_SHA256 },
    { 'x-gate': KEYS.all },
    { 'x-riskgate-key': GATEWAY_SECRET },
    { 'x-gate': [GATEWAY_SECRET, GATEWAY_SECRET] },
    { 'x-gate': ['wrong', GATEWAY_SECRET] },
  ])
    t.equal(riskOf(await ask(headers)), CALLER_UNKNOWN, Object.keys(headers).join());
});

t.test('knows a gateway by an API key that may decide', async (t) => {
  const ask = (key: string) => askGateway(app, { profile: 'key', key: null, headers: { 'x-gate': key } });
  t.equal((await ask(KEYS.decide)).status, 200);
  t.equal(riskOf(await ask(KEYS.read)), CALLER_UNKNOWN, 'the scope is wrong');
  t.equal(riskOf(await ask('wrong')), CALLER_UNKNOWN);
  const made = app.logs.find(({ event, caller }) => event === 'decision.made' && caller === 'decide');
  t.ok(made, 'the caller is the id of the key');
});

t.test(
  'the built-in profile asks for an API key, on loopback too, and not where end users put theirs',
  async (t) => {
    t.equal((await askGateway(app)).status, 200);
    t.equal(riskOf(await askGateway(app, { key: null })), CALLER_UNKNOWN);
    for (const headers of [{ authorization: `Bearer ${KEYS.decide}` }, { 'x-api-key': KEYS.decide }])
      t.equal(riskOf(await askGateway(app, { key: null, headers })), CALLER_UNKNOWN);
  },
);

t.test('says so in one line for all of them, without what was presented', async (t) => {
  const lines = app.logs.filter(({ event }) => event === 'gateway.refused');
  t.match(lines[0], { reason: 'CALLER_UNKNOWN', dialect: 'nginx', profile: 'secret', count: 1 });
  t.equal(lines.length, 3, 'one for each profile');
  t.notMatch(app.logText(), new RegExp(`wrong|${GATEWAY_SECRET}|${KEYS.decide}`));
});
