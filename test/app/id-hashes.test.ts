import t from 'tap';
import { createIdHashes, type IdHashes } from '../../src/app/id-hashes.ts';
import { formerKeyIdOf, keyIdOf } from '../../src/platform/keyed-hash.ts';

const [KEY, OTHER_KEY] = ['a hash key of the tests', 'another hash key of the tests'] as const;
const ID = '7f4c2d19-0a3b-4c5d-8e6f-112233445566';

type Options = Parameters<typeof createIdHashes>[0];

const PROVIDERS: Options['providers'] = [
  { id: 's', subject: 'telemetry_id', settings: { secret: 'one' } },
  { id: 'm', subject: 'device_id', settings: { secret: 'one' } },
  { id: 'p', subject: 'device_id', settings: { secret: 'one' } },
  { id: 'i', subject: 'ip', settings: {} },
  { id: 'a', subject: 'account_id', settings: {} },
];

function open(options: Partial<Options> = {}): IdHashes {
  return createIdHashes({ keys: [KEY], entriesMax: 100, providers: PROVIDERS, ...options });
}

/** Every hash of the text under every key, by what it is for. */
function hashesOf({ custody, records, evidenceKeysOf }: IdHashes, text = ID): Record<string, string> {
  const named: Record<string, string> = {};
  for (const [purpose, list] of Object.entries({ custody, records }))
    for (const [place, hashes] of list.entries())
      for (const part of ['telemetry', 'device', 'account'] as const)
        named[`${purpose} ${place} ${part}`] = hashes[part](text);
  for (const [place, { ip }] of records.entries()) named[`records ${place} ip`] = ip(text);
  for (const { id } of PROVIDERS) {
    const { keyOf, olderKeysOf } = evidenceKeysOf(id);
    for (const [place, key] of [keyOf(text), ...olderKeysOf(text)].entries()) named[`${id} ${place}`] = key;
  }
  return named;
}

t.test('gives the hashes that are already stored', async (t) => {
  // Computed once. Other values need another key id: what is stored would otherwise be taken for absent.
  const { custody, records, evidenceKeysOf } = open();
  t.equal(custody[0]?.telemetry(ID), '461d99e851e6ef2d95f7638bb62afd2f');
  t.equal(records[0]?.device(ID), 'c88a333cab73b39206962cc4c42a4a92');
  t.equal(records[0]?.keyId, '2c9ed140');
  t.equal(evidenceKeysOf('m').keyOf(ID), 'm:bf178b1594ead916:9da071ca9606bafea880f2c5d4006aec');
});

t.test('gives a device and a telemetry id one hash in the log, in whatever case they come', async (t) => {
  for (const { telemetry, device, account } of open({ keys: [KEY, OTHER_KEY] }).records) {
    for (const hash of [telemetry, device]) t.equal(hash(ID.toUpperCase()), hash(ID));
    t.not(account(ID.toUpperCase()), account(ID), 'accounts are told apart');
  }
});

t.test('gives 32 hex characters for each purpose, under each key, and none twice', async (t) => {
  const hashes = hashesOf(open({ keys: [KEY, OTHER_KEY] }));
  const ends = Object.entries(hashes).map(([name, text]) => {
    t.match(text, /^([a-z]:[0-9a-f]{16}:)?[0-9a-f]{32}$/, name);
    return text.slice(-30);
  });
  // Those of the two providers of device ids, under each of the two keys, differ in what stands before.
  t.equal(new Set(ends).size, ends.length - 2);
  t.equal(new Set(Object.values(hashes)).size, ends.length);
});

t.test(
  'gives addresses of one IPv6 network the hash of that network, and IPv4 addresses their own',
  async (t) => {
    const { records } = open({ keys: [KEY, OTHER_KEY] });
    for (const { ip, network } of records) {
      const [one, other, elsewhere] = ['2001:db8:1:2::1', '2001:db8:1:2:a:b:c:d', '2001:db8:1:3::1'];
      t.equal(network(one), network(other));
      t.not(network(one), network(elsewhere));
      t.equal(new Set([ip(one), ip(other), ip(elsewhere), network(one)]).size, 4);
      t.equal(network(one), ip('2001:db8:1:2::/64'), 'the name of the network');
      t.equal(network('203.0.113.7'), ip('203.0.113.7'));
      t.not(network('203.0.113.7'), network('203.0.113.8'));
    }
    t.equal(records[0]?.network('no address : at all'), records[0]?.ip('no address : at all'));
  },
);

t.test('gives the same from a memo that forgets at once and from one that holds all', async (t) => {
  const keys = [KEY, OTHER_KEY];
  const [small, large] = [open({ keys, entriesMax: 1 }), open({ keys })];
  const texts = [...Array.from({ length: 5 }, (_, place) => `${ID}-${place}`), ID, '', '\ud800'];
  for (const _ of [1, 2])
    for (const text of texts) t.same(hashesOf(small, text), hashesOf(open({ keys }), text), text);
  for (const text of texts) t.same(hashesOf(large, text), hashesOf(open({ keys }), text), text);
});

t.test('tells spellings, lone surrogates and the replacement character apart', async (t) => {
  const hashes = open();
  const texts = [ID, ID.toUpperCase(), `${ID}\0`, '\ud800', '\udbff', '\udc00', '\ufffd'];
  const of = (name: string) => texts.map((text) => hashesOf(hashes, text)[name]);
  for (const name of Object.keys(hashesOf(hashes))) {
    // In the log a device and a telemetry id are the same in whatever case.
    const isFolded = /^records \d (device|telemetry)$/.test(name);
    t.equal(new Set([...of(name), ...of(name)]).size, texts.length - (isFolded ? 1 : 0), name);
  }
});

t.test('begins the bindings of one telemetry id with the same two digits under every key', async (t) => {
  const { custody } = open({ keys: [KEY, OTHER_KEY, 'a third hash key of the tests'] });
  for (let serial = 0; serial < 20; serial += 1) {
    const names = custody.map(({ telemetry }) => telemetry(`${ID}-${serial}`));
    t.equal(new Set(names).size, 3);
    t.equal(new Set(names.map((name) => name.slice(0, 2))).size, 1);
  }
});

t.test('finds under an older key what was kept while it was in force', async (t) => {
  const [before, after] = [open(), open({ keys: [OTHER_KEY, KEY] })];
  t.equal(after.custody[1]?.telemetry(ID), before.custody[0]?.telemetry(ID));
  t.equal(after.records[1]?.account(ID), before.records[0]?.account(ID));
  t.equal(after.records[1]?.keyId, before.records[0]?.keyId);
  t.same(after.evidenceKeysOf('m').olderKeysOf(ID), [before.evidenceKeysOf('m').keyOf(ID)]);
  t.same(before.evidenceKeysOf('m').olderKeysOf(ID), []);
});

t.test('keeps accounts at one provider apart, and providers with equal settings', async (t) => {
  const providers = PROVIDERS.map((provider) => ({ ...provider, settings: { secret: 'two' } }));
  const keyOf = (hashes: IdHashes, provider: string) => hashes.evidenceKeysOf(provider).keyOf(ID);
  const keys = [open(), open({ providers })].flatMap((hashes) => [keyOf(hashes, 'm'), keyOf(hashes, 'p')]);
  t.equal(new Set(keys.map((key) => key.replace(/^.:/, ''))).size, 4);
  t.equal(keyOf(open(), 'm'), keyOf(open({ providers: PROVIDERS.toReversed() }), 'm'));
});

t.test('refuses what was not named', async (t) => {
  t.throws(() => open({ providers: [] }).evidenceKeysOf('m'), /no provider m/);
  t.throws(() => open({ keys: [] }).evidenceKeysOf('m').keyOf(ID), /no hash key/);
});

t.test('names a key in another way than when each purpose had its own HMAC', async (t) => {
  t.match(keyIdOf(KEY), /^[0-9a-f]{8}$/);
  t.not(keyIdOf(KEY), formerKeyIdOf(KEY));
  // As it was released: by it, what was stored then is told from what nobody stored.
  t.equal(formerKeyIdOf(KEY), 'f8c208ed');
});
