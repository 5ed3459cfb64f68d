import crypto, { hash } from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import t from 'tap';

/**
 * Every comparison that is made, by the lengths of what is compared. Put in place before the code under test
 * is loaded.
 */
const compared: (readonly [number, number])[] = [];
const { timingSafeEqual } = crypto;
crypto.timingSafeEqual = (left, right) => {
  compared.push([left.byteLength, right.byteLength]);
  return timingSafeEqual(left, right);
};
syncBuiltinESMExports();
t.teardown(() => {
  crypto.timingSafeEqual = timingSafeEqual;
  syncBuiltinESMExports();
});

const { loadKeyring } = await import('../../src/http/callers/api-keys.ts');

const TOKENS = ['first-key', 'second-key', 'third-key', 'fourth-key', 'fifth-key'];
const result = loadKeyring(
  JSON.stringify({
    keys: TOKENS.map((token, index) => ({
      id: `caller-${index}`,
      sha256: hash('sha256', token),
      scopes: ['decide'],
    })),
  }),
);
if (!result.ok) throw new Error(result.mistakes.join());
const { find } = result.value;

/**
 * Presented keys: each of the file, and such as share more or less of one, twice each, for the second time is
 * remembered.
 */
const PRESENTED = [
  ...TOKENS,
  ...TOKENS,
  '',
  'f',
  'first-ke',
  'first-keyy',
  'FIRST-KEY',
  hash('sha256', 'first-key'),
  'x'.repeat(10_000),
];

for (const token of [...PRESENTED, ...PRESENTED]) {
  t.test(
    `compares "${token.slice(0, 12)}" with every key of the file, by hashes of one length`,
    async (t) => {
      compared.length = 0;
      const caller = find(token);
      t.equal(caller?.id, TOKENS.includes(token) ? `caller-${TOKENS.indexOf(token)}` : undefined);
      // As many steps for the first key as for the last, for a wrong one, and for one that is nearly right.
      t.same(compared, Array(TOKENS.length).fill([32, 32]));
    },
  );
}
