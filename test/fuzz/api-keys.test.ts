import { hash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import fc from 'fast-check';
import t from 'tap';
import { loadKeyring, SCOPES } from '../../src/http/callers/api-keys.ts';
import { fuzzRun } from '../support/fuzz-run.ts';
import { mutatedJson, mutatedText } from '../support/mutations.ts';

const tokens = fc.string({ minLength: 1, maxLength: 40 });
const entries = fc.uniqueArray(
  fc.record(
    {
      id: fc.oneof(
        fc.constantFrom('login', '__proto__', 'constructor', 'toString', '.', '-'),
        fc.stringMatching(/^[A-Za-z0-9_.-]{1,64}$/),
      ),
      token: tokens,
      scopes: fc.oneof(
        fc.subarray(
          SCOPES.filter((scope) => scope !== 'test'),
          { minLength: 1 },
        ),
        fc.constant(['test']),
      ),
      not_after: fc.constantFrom('2027-01-31T00:00:00Z', '2020-01-01T00:00:00+10:00'),
    },
    { requiredKeys: ['id', 'token', 'scopes'] },
  ),
  { minLength: 1, maxLength: 6, selector: ({ token }) => token },
);

/** What these scopes come to: `admin` may do all of `review`. */
function grantedBy(scopes: readonly string[]): ReadonlySet<string> {
  return new Set(scopes.includes('admin') ? [...scopes, 'review'] : scopes);
}

type Entries = typeof entries extends fc.Arbitrary<infer Value> ? Value : never;

function toDocument(list: Entries) {
  return { keys: list.map(({ token, ...rest }) => ({ ...rest, sha256: hash('sha256', token) })) };
}

t.test('finds the keys of a file, with what the file allows them, and no others', async (t) => {
  fc.assert(
    fc.property(entries, tokens, (list, other) => {
      const result = loadKeyring(JSON.stringify(toDocument(list)));
      if (!result.ok) return false;
      const { size, find } = result.value;
      const areFound = list.every(({ id, token, scopes }) => {
        const caller = find(token);
        return caller?.id === id && isDeepStrictEqual(caller.scopes, grantedBy(scopes));
      });
      const isOther = list.every(({ token }) => token !== other);
      return size === list.length && areFound && (!isOther || find(other) === null);
    }),
    fuzzRun(t, 300),
  );
  t.pass();
});

t.test('loads or refuses any file, and never widens what it says', async (t) => {
  const seen = { loaded: 0, refused: 0 };
  const files = entries.chain((list) => {
    const document = toDocument(list);
    const text = fc.oneof(
      mutatedJson(document),
      mutatedText(JSON.stringify(document, null, 2)),
      fc.string({ unit: 'binary' }),
    );
    return fc.tuple(fc.constant(list), text);
  });
  fc.assert(
    fc.property(files, ([list, text]) => {
      const result = loadKeyring(text);
      if (!result.ok) {
        seen.refused += 1;
        return result.mistakes.length > 0 && result.mistakes.every((mistake) => /^\d+:\d+: /.test(mistake));
      }
      seen.loaded += 1;
      // Whoever is found is named in the text, and so is each scope, which are ours.
      const found = ['', 'undefined', '__proto__', ...list.map(({ token }) => token)].map((token) =>
        result.value.find(token),
      );
      return found.every(
        (caller) =>
          caller === null ||
          [...caller.scopes].every(
            (scope) =>
              SCOPES.includes(scope) &&
              (text.includes(scope) || (scope === 'review' && caller.scopes.has('admin'))),
          ),
      );
    }),
    fuzzRun(t, 2_000),
  );
  t.comment(JSON.stringify(seen));
  const all = seen.loaded + seen.refused;
  t.ok(all > 0 && seen.loaded > all / 70);
  t.ok(seen.refused > all / 20);
});
