import { hash } from 'node:crypto';
import t from 'tap';
import { loadKeyring } from '../../src/http/api-keys.ts';

const DIGEST = hash('sha256', 'the key');
const entry = (changes: Readonly<Record<string, string>> = {}) => {
  const fields = { id: 'login', sha256: DIGEST, scopes: '[decide]', ...changes };
  return `  - {${Object.entries(fields)
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ')}}`;
};

t.test('finds the caller of a key, with its scopes', async (t) => {
  const loaded = loadKeyring(`keys:\n${entry({ scopes: '[decide, read]' })}\n`);
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  t.equal(loaded.value.size, 1);
  const caller = loaded.value.find('the key');
  t.equal(caller?.id, 'login');
  t.same([...(caller?.scopes ?? [])], ['decide', 'read']);
  for (const token of ['', 'the ke', 'the key ', DIGEST]) t.equal(loaded.value.find(token), null, token);
});

t.test('finds the caller of each of several keys', async (t) => {
  const names = ['a', 'b', 'c'];
  const entries = names.map((name) =>
    entry({ id: name, sha256: hash('sha256', `key ${name}`).toUpperCase() }),
  );
  const loaded = loadKeyring(`keys:\n${entries.join('\n')}\n`);
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  for (const name of names) t.equal(loaded.value.find(`key ${name}`)?.id, name);
});

t.test('lets two keys share an id, so that a key can be rotated', async (t) => {
  t.ok(loadKeyring(`keys:\n${entry()}\n${entry({ sha256: hash('sha256', 'another') })}\n`).ok);
});

/** Files that are refused, and where in them the mistakes are. */
const REFUSED: readonly (readonly [string, string, readonly RegExp[]])[] = [
  ['is empty', '', [/^1:1: /]],
  ['is no mapping', '- a', [/^1:1: /]],
  ['has no keys', 'keys: []\n', [/^1:7: keys: /]],
  ['is not YAML', 'keys: [', [/^\d+:\d+: /]],
  ['has an unknown field', `keys:\n${entry()}\nmore: 1\n`, [/more/]],
  ['has a hash that is too short', `keys:\n${entry({ sha256: 'abc' })}\n`, [/^2:\d+: keys\.0\.sha256: /]],
  [
    'has an unknown scope',
    `keys:\n${entry({ scopes: '[decide, root]' })}\n`,
    [/^2:\d+: keys\.0\.scopes\.1: /],
  ],
  ['grants nothing', `keys:\n${entry({ scopes: '[]' })}\n`, [/^2:\d+: keys\.0\.scopes: /]],
  ['has an id with a space', `keys:\n${entry({ id: 'a b' })}\n`, [/^2:\d+: keys\.0\.id: /]],
  ['has the same key twice', `keys:\n${entry()}\n${entry({ id: 'other' })}\n`, [/^3:\d+: keys\.1\.sha256: /]],
  [
    'has several mistakes',
    `keys:\n${entry({ id: 'a b' })}\n${entry({ sha256: 'abc' })}\n`,
    [/^2:\d+: keys\.0\.id: /, /^3:\d+: keys\.1\.sha256: /],
  ],
];

for (const [what, text, patterns] of REFUSED) {
  t.test(`refuses a file that ${what}, and says where`, async (t) => {
    const loaded = loadKeyring(text);
    if (loaded.ok) throw new Error('it was taken');
    t.equal(loaded.mistakes.length, patterns.length);
    patterns.forEach((pattern, index) => {
      t.match(loaded.mistakes[index], pattern);
    });
    t.notMatch(loaded.mistakes.join(), DIGEST, 'and repeats no hash');
  });
}
