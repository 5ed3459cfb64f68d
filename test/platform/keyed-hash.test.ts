import t from 'tap';
import { createKeyedHash } from '../../src/platform/keyed-hash.ts';

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
