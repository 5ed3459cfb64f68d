import { createHmac } from 'node:crypto';
import t from 'tap';
import { createKeyedDigest, createKeyedHash } from '../../src/platform/keyed-hash.ts';

const SECRET = 'a secret of the tests';

t.test('gives 32 hex characters that stay the same, memoised or not', async (t) => {
  const hash = createKeyedHash(SECRET, 'device_id');
  const first = hash('352099001761481');
  t.match(first, /^[0-9a-f]{32}$/);
  t.equal(hash('352099001761481'), first);
  t.equal(createKeyedHash(Buffer.from(SECRET), 'device_id')('352099001761481'), first);
});

t.test('gives the hashes that are already stored', async (t) => {
  // Computed once: another value would orphan every cache entry and every logged hash.
  t.equal(createKeyedHash(SECRET, 'device_id')('352099001761481'), '73f94b4ee9b82b0a158ee9efccdfb8e4');
});

t.test('is the HMAC of RFC 2104 for texts of any length', async (t) => {
  const hmac = (algorithm: string, key: Buffer | string, text: string, encoding: 'utf8' | 'utf16le') =>
    createHmac(algorithm, key).update(text, encoding).digest();
  const hash = createKeyedHash(SECRET, 'device_id', 0);
  const digest = createKeyedDigest(SECRET, 'device_id');
  const key256 = hmac('sha256', SECRET, 'riskgate device_id', 'utf8');
  const key512 = hmac('sha512', SECRET, 'riskgate device_id', 'utf8');
  // Longer ones first: nothing of them is left for shorter ones.
  for (const length of [5_000, 513, 257, 256, 255, 128, 64, 27, 1, 0]) {
    const codes = Array.from({ length }, (_, at) => (at * 7_919 + length) % 0x10000);
    const text = String.fromCharCode(...codes);
    const [short, long] = [hmac('sha256', key256, text, 'utf16le'), hmac('sha512', key512, text, 'utf16le')];
    t.equal(hash(text), short.toString('hex', 0, 16), `${length} characters`);
    t.ok(digest(text).equals(long), `${length} characters in 64 bytes`);
  }
});

t.test('gives each digest a buffer of its own', async (t) => {
  const digest = createKeyedDigest(SECRET, 'device_id');
  const first = digest('a');
  const before = first.toString('hex');
  digest('b');
  t.equal(first.toString('hex'), before);
});

t.test('differs between purposes, between secrets and between values', async (t) => {
  const hashes = [
    createKeyedHash(SECRET, 'device_id')('x'),
    createKeyedHash(SECRET, 'telemetry_id')('x'),
    createKeyedHash(`${SECRET}2`, 'device_id')('x'),
    createKeyedHash(SECRET, 'device_id')('y'),
    createKeyedHash(SECRET, 'device_id')('X'),
    createKeyedHash(SECRET, 'device_id')('x\0'),
    createKeyedHash(SECRET, 'device_id')(''),
    createKeyedHash(SECRET, 'device_i')('dx'),
    createKeyedHash(SECRET, 'p'.repeat(5_000))('x'),
    createKeyedHash(SECRET, `${'p'.repeat(4_999)}q`)('x'),
  ];
  t.equal(new Set(hashes).size, hashes.length);
});

t.test('tells lone surrogates and the replacement character apart', async (t) => {
  const hash = createKeyedHash(SECRET, 'device_id');
  t.equal(new Set(['\ud800', '\udbff', '\udc00', '\ufffd'].map(hash)).size, 4);
});

t.test('is right for values that have left a small memo', async (t) => {
  const small = createKeyedHash(SECRET, 'device_id', 2);
  const large = createKeyedHash(SECRET, 'device_id');
  const values = Array.from({ length: 20 }, (_, index) => `device-${index}`);
  t.same(values.map(small), values.map(large));
  t.same(values.map(small), values.map(large));
});

t.test('is the same where nothing is kept', async (t) => {
  const kept = createKeyedHash(SECRET, 'device_id');
  const free = createKeyedHash(SECRET, 'device_id', 0);
  t.same(['a', 'b', 'a'].map(free), ['a', 'b', 'a'].map(kept));
});

t.test('refuses an empty secret', async (t) => {
  t.throws(() => createKeyedHash('', 'device_id'), RangeError);
  t.throws(() => createKeyedHash(Buffer.alloc(0), 'device_id'), RangeError);
});
