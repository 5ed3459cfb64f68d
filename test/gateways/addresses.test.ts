import t from 'tap';
import { askGateway, createGatewayApp } from '../support/ask-gateway.ts';
import { parseScrape, readValue } from '../support/scrape.ts';
import { startEmulators } from '../support/test-app.ts';

const POLICY = `
policy: addresses
otherwise: ALLOW
rules:
  - { id: four, when: 'has(request.ip) && request.ip == "203.0.113.9"', verdict: BLOCK, reason: FOUR }
  - { id: six, when: 'has(request.ip) && in_network(request.ip, "2001:db8::/32")', verdict: BLOCK, reason: SIX }
`;
const emulators = await startEmulators(t);
const app = await createGatewayApp(
  t,
  { told: { ip_header: 'X-Real-IP' }, list: { ip_header: 'X-Forwarded-For' } },
  { emulators, policy: POLICY },
);

/** The decision and its reasons about an address that a gateway tells; null leaves the field out. */
async function decisionOn(address: string | null, profile = 'told'): Promise<string> {
  const field = profile === 'told' ? 'x-real-ip' : 'x-forwarded-for';
  const { headers } = await askGateway(app, {
    profile,
    headers: address === null ? {} : { [field]: address },
  });
  return `${String(headers['x-risk-decision'])} ${String(headers['x-risk-reasons'])}`;
}

for (const spelling of [
  '203.0.113.9',
  '::ffff:203.0.113.9',
  '::ffff:cb00:7109',
  '203.0.113.9:5431',
  '[::FFFF:203.0.113.9]:1',
])
  t.test(`blocks 203.0.113.9 as ${spelling}`, async (t) => t.equal(await decisionOn(spelling), 'BLOCK FOUR'));

for (const spelling of [
  '2001:db8::1',
  '2001:DB8::1',
  '2001:0db8::0001',
  '[2001:db8::1]:443',
  '2001:db8::1%eth0',
])
  t.test(`blocks 2001:db8::1 as ${spelling}`, async (t) => t.equal(await decisionOn(spelling), 'BLOCK SIX'));

t.test('lets another address pass, and takes the last one of a list', async (t) => {
  t.equal(await decisionOn('198.51.100.1'), 'ALLOW none');
  t.equal(await decisionOn('203.0.113.9, 198.51.100.1:80', 'list'), 'ALLOW none');
  t.equal(await decisionOn('198.51.100.1,[2001:DB8::1]:443', 'list'), 'BLOCK SIX');
});

t.test('an address that is not told, or cannot be read, is a challenge where rules ask for it', async (t) => {
  const whys = ['missing', 'repeated', 'malformed'] as const;
  const counts = async () => {
    const scrape = parseScrape((await app.ask('GET', '/metrics')).text);
    return whys.map((why) => readValue(scrape, 'riskgate_unreadable_addresses_total', { why }));
  };
  t.same(await counts(), [0, 0, 0]);
  for (const address of [null, '', 'unknown', '010.0.0.1', '198.51.100.1,', '203.0.113.9, 203.0.113'])
    t.equal(await decisionOn(address), 'CHALLENGE FOUR,SIX', String(address));
  t.same(await counts(), [2, 0, 4], 'a list that ends with nothing is malformed');
  t.notMatch(app.logText(), /198\.51\.100|203\.0\.113|010\.0/);
});

t.test('a profile without the field knows no address, and asks nothing of one', async (t) => {
  t.equal(await decisionOn('203.0.113.9', 'default'), 'ALLOW none');
});
