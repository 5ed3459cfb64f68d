import t from 'tap';
import { type GivenValue, type ListHashes, toListValue } from '../../../src/application/lists/list-values.ts';
import { hashOf } from '../../support/list-entries.ts';

const under = (keyId: string, key: number): ListHashes => {
  const hash = (part: number) => (id: string) => hashOf(part * 1_000 + key * 100 + id.length);
  return {
    keyId,
    device: hash(1),
    account: hash(2),
    telemetry: hash(3),
    ip: hash(4),
    network: hash(5),
    visitor: hash(6),
  };
};
const [NEW, OLD] = [under('aaaa1111', 1), under('bbbb2222', 2)];

const read = (
  part: GivenValue['part'],
  text: string,
  keyId: string | null = null,
  hashes: readonly [ListHashes, ...ListHashes[]] = [NEW],
) => toListValue({ part, text, keyId }, hashes);

t.test('hashes identifiers, under every key', async (t) => {
  t.same(read('device', 'd1'), { part: 'device', value: NEW.device('d1'), keyId: 'aaaa1111', others: null });
  t.same(read('account', 'd1', null, [NEW, OLD]), {
    part: 'account',
    value: NEW.account('d1'),
    keyId: 'aaaa1111',
    others: { bbbb2222: OLD.account('d1') },
  });
  t.match(read('telemetry', 't'), { value: NEW.telemetry('t') });
  t.match(read('visitor', 'v'), { value: NEW.visitor('v') });
  for (const text of ['', '\ud800']) t.match(read('device', text), { mistake: 'is no id' });
});

t.test('takes hashes as they are shown, of a key that is known', async (t) => {
  const hash = hashOf(1);
  t.same(read('device', `#${hash}`), { part: 'device', value: hash, keyId: 'aaaa1111', others: null });
  t.match(read('ip', `#${hash}`, 'bbbb2222', [NEW, OLD]), { value: hash, keyId: 'bbbb2222' });
  t.match(read('device', `#${hash}`, null, [NEW, OLD]), { mistake: /is needed/, isOfKey: true });
  t.match(read('device', `#${hash}`, 'cccc3333'), { mistake: /no hash key/, isOfKey: true });
  t.match(read('device', '#abc'), { mistake: /no hash of 32/ });
  t.match(read('device', 'd1', 'aaaa1111'), { mistake: /value is no hash/, isOfKey: true });
});

t.test('hashes addresses and the networks that one subscriber has, and keeps wider ones', async (t) => {
  t.match(read('ip', '203.0.113.7'), { value: NEW.ip('203.0.113.7'), keyId: 'aaaa1111' });
  t.match(read('ip', '[2001:DB8::7]'), { value: NEW.ip('2001:db8::7') });
  t.match(read('ip', '203.0.113.7/32'), { value: NEW.ip('203.0.113.7') });
  t.match(read('ip', '2001:db8::7/128'), { value: NEW.ip('2001:db8::7') });
  t.match(read('ip', '2001:db8::/64'), { value: NEW.network('2001:db8::') });
  t.same(read('ip', '2001:db8::/48'), { part: 'ip', value: '2001:db8::/48', keyId: null, others: null });
  t.match(read('ip', '203.0.113.0/24'), { value: '203.0.113.0/24', keyId: null });
  t.match(read('ip', '2001:db8::/65'), { mistake: /above 64/ });
  t.match(read('ip', '203.0.113.7/24'), { mistake: /bits after its prefix/ });
  t.match(read('ip', 'x'), { mistake: 'is no address' });
});

t.test('spells autonomous systems and countries', async (t) => {
  t.same(read('asn', 'as64500'), { part: 'asn', value: '64500', keyId: null, others: null });
  t.match(read('country', 'de'), { value: 'DE' });
  t.match(read('asn', '0'), { mistake: /number/ });
  t.match(read('country', 'deu'), { mistake: /two letters/ });
});
