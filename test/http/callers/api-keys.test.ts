import { hash } from 'node:crypto';
import t from 'tap';
import { findHolder, loadKeyring } from '../../../src/http/callers/api-keys.ts';

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

t.test('knows the holder of a key for one scope, until the key ends', async (t) => {
  const loaded = loadKeyring(`keys:\n${entry({ not_after: '2027-01-31T00:00:00Z' })}\n`);
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  const { value: keyring } = loaded;
  const endsMs = Date.UTC(2027, 0, 31);
  t.equal(findHolder(keyring, 'the key', 'decide', endsMs - 1)?.id, 'login');
  t.equal(findHolder(keyring, 'the key', 'decide', endsMs), null);
  t.equal(findHolder(keyring, 'the key', 'read', endsMs - 1), null);
  t.equal(findHolder(keyring, 'another key', 'decide', endsMs - 1), null);
});

t.test('lets two keys share an id, so that a key can be rotated', async (t) => {
  t.ok(loadKeyring(`keys:\n${entry()}\n${entry({ sha256: hash('sha256', 'another') })}\n`).ok);
});

t.test('reads when a key ends, and its limits', async (t) => {
  const limits = '{requests: 100, window_seconds: 60, concurrent: 8}';
  const loaded = loadKeyring(`keys:\n${entry({ not_after: '2027-01-31T01:00:00+01:00', limits })}\n`);
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  t.match(loaded.value.find('the key'), {
    notAfterMs: Date.parse('2027-01-31T00:00:00Z'),
    limits: { rate: { requests: 100, windowSeconds: 60 }, concurrent: 8 },
  });
});

t.test('limits nobody whose key says nothing of it', async (t) => {
  const loaded = loadKeyring(`keys:\n${entry()}\n`);
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  t.match(loaded.value.find('the key'), { notAfterMs: null, limits: null });
});

t.test('names keys that everybody knows', async (t) => {
  const known = entry({ id: 'demo', sha256: hash('sha256', 'demo-key').toUpperCase() });
  const loaded = loadKeyring(`keys:\n${entry()}\n${known}\n`);
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'));
  t.strictSame(loaded.value.wellKnown, ['demo']);
});

const ANOTHER = hash('sha256', 'another');

/** Files that are refused, and where in them the mistakes are. */
const REFUSED: readonly (readonly [string, string, readonly RegExp[]])[] = [
  ['is empty', '', [/^1:1: Invalid input/]],
  ['is no mapping', '- a', [/^1:1: /]],
  ['has no keys', 'keys: []\n', [/^1:7: keys: /]],
  ['is not YAML', 'keys: [', [/^\d+:\d+: (?!.* at line)/]],
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
  ['ends at no time', `keys:\n${entry({ not_after: 'soon' })}\n`, [/^2:\d+: keys\.0\.not_after: .*RFC 3339/]],
  ['ends at a local time', `keys:\n${entry({ not_after: '2027-01-31T00:00:00' })}\n`, [/not_after/]],
  ['ends on a day that is none', `keys:\n${entry({ not_after: '2027-02-31T00:00:00Z' })}\n`, [/not_after/]],
  ['limits nothing', `keys:\n${entry({ limits: '{}' })}\n`, [/^2:\d+: keys\.0\.limits: limits nothing/]],
  [
    'has requests without a window',
    `keys:\n${entry({ limits: '{requests: 1}' })}\n`,
    [/window_seconds together/],
  ],
  [
    'has a window without requests',
    `keys:\n${entry({ limits: '{window_seconds: 1, concurrent: 1}' })}\n`,
    [/window_seconds together/],
  ],
  [
    'allows no request',
    `keys:\n${entry({ limits: '{requests: 0, window_seconds: 1}' })}\n`,
    [/limits\.requests/],
  ],
  ['has an unknown limit', `keys:\n${entry({ limits: '{per_day: 1, concurrent: 1}' })}\n`, [/per_day/]],
  [
    'lets a second key of one id escape its limits',
    `keys:\n${entry({ limits: '{concurrent: 1}' })}\n${entry({ sha256: ANOTHER })}\n`,
    [/^3:\d+: keys\.1\.limits: .*share/],
  ],
  ['hides a hash behind a tag', `keys:\n${entry({ sha256: `!vault ${DIGEST}` })}\n`, [/^2:\d+: .*YAML tag/]],
  ['names a hash', `keys:\n${entry({ sha256: `&one ${DIGEST}` })}\n`, [/^2:\d+: .*YAML anchor/]],
  ['repeats a hash by its name', `keys:\n${entry({ sha256: '*one' })}\n`, [/^2:\d+: .*YAML alias/]],
  ['merges entries', `keys:\n${entry({ '<<': '{scopes: [admin]}' })}\n`, [/^2:\d+: .*merges nothing/]],
  [
    'has a scope behind a comment',
    `keys:\n  - id: login\n    sha256: ${DIGEST}\n    scopes: [read #, decide\n      ]\n`,
    [/^4:19: a comment begins here/],
  ],
  [
    'counts in another base',
    `keys:\n${entry({ limits: '{requests: 010, window_seconds: 60}' })}\n`,
    [/^2:\d+: .*unusual form/],
  ],
  ['has an id that is a number', `keys:\n${entry({ id: '1e3' })}\n`, [/^2:\d+: .*unusual form/]],
  [
    'has several mistakes',
    `keys:\n${entry({ id: 'a b' })}\n${entry({ sha256: 'abc' })}\n`,
    [/^2:\d+: keys\.0\.id: /, /^3:\d+: keys\.1\.sha256: /],
  ],
];

t.test('quotes nothing of a file beside the log', async (t) => {
  const warnings: unknown[] = [];
  const note = (warning: unknown) => warnings.push(warning);
  process.on('warning', note);
  t.teardown(() => process.off('warning', note));
  t.equal(loadKeyring('keys:\n  - ? {sha256: a secret}\n    : 1\n').ok, false);
  await new Promise(setImmediate);
  t.same(warnings, []);
});

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
