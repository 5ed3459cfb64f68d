import t from 'tap';
import { parseYaml } from '../../src/platform/yaml-document.ts';

const OPTIONS = { texts: ['when'] };
/** What stands before each line below, which begins at line 3, column 5. */
const HEAD = 'rules:\n  - id: r\n';
const parse = (lines: string) => parseYaml(`${HEAD}    ${lines}\n`, OPTIONS);

/** A line, the position of its mistake, and what its author should have written. */
const MENDED: readonly (readonly [string, string, string])[] = [
  ['when: !a && b', '3:11', "when: '!a && b'"],
  ['when: !stytch.found', '3:11', "when: '!stytch.found'"],
  ['when: ! stytch.found', '3:11', "when: '! stytch.found'"],
  ['when: !(a in [1, 2]) && b', '3:11', "when: '!(a in [1, 2]) && b'"],
  ["when: !has(a.b) || a.c == 'x'", '3:11', "when: '!has(a.b) || a.c == ''x'''"],
  ['when: &&b', '3:11', "when: '&&b'"],
  ['when: *b', '3:11', "when: '*b'"],
  ["when: !!str 'a'", '3:11', "when: 'a'"],
  ['when: !<x> |\n      a', '3:11', 'when: |'],
  ['when: &name >-\n      a', '3:11', 'when: >-'],
  ['list: &name\n      - a', '3:11', 'list:'],
  ['list: !!seq\n      - a', '3:11', 'list:'],
  ['list:\n      - !a b', '4:9', "- '!a b'"],
  ['list: [!a b, c]', '3:12', "list: ['!a b'"],
  ['list: [c, *b]', '3:15', "list: [c, '*b'"],
  ['map: {when: !a && b, verdict: BLOCK}', '3:17', "map: {when: '!a && b'"],
  ['!a when: b', '3:5', 'when: b'],
  ['image: !!binary aGk=', '3:12', "image: '!!binary aGk='"],
  ['when: a # b', '3:13', "when: 'a # b'"],
  ['when: a && b #c', '3:18', "when: 'a && b #c'"],
  ['when: a\n      && b # c', '4:12', "when: 'a && b # c'"],
  ['when: a\t# b', '3:13', "when: 'a # b'"],
  ['other: two words # c', '3:22', "other: 'two words # c'"],
  ['list: [a #, b\n      ]', '3:14', "list: ['a #, b'"],
  ['1: a', '3:5', "'1':"],
  ['true: a', '3:5', "'true':"],
  ['1e3: a', '3:5', "'1e3':"],
  ['count: 010', '3:12', "count: '010'"],
  ['count: 0o17', '3:12', "count: '0o17'"],
  ['count: 0x1F', '3:12', "count: '0x1F'"],
  ['count: 1e3', '3:12', "count: '1e3'"],
  ['count: +5', '3:12', "count: '+5'"],
  ['count: .inf', '3:12', "count: '.inf'"],
];

for (const [lines, position, mended] of MENDED)
  t.test(`refuses ${JSON.stringify(lines)}, says where, and what to write`, async (t) => {
    const { mistakes, value } = parse(lines);
    const [mistake = ''] = mistakes;
    t.equal(mistakes.length, 1, mistakes.join('\n'));
    t.ok(mistake.startsWith(`${position}: `), mistake);
    t.ok(`${mistake}  `.includes(`: ${mended}  `), mistake);
    t.equal(value, null);
  });

t.test('repeats no value of a file that holds secrets', async (t) => {
  for (const line of [
    'sha256: !vault 5ec3e7',
    'sha256:\n  !vault 5ec3e7',
    "sha256: !!str '5ec3e7'",
    'sha256: *5ec3e7',
    '{sha256: 5ec3e7, id: !a b}',
    '{sha256: 5ec3e7, id: 010}',
    'sha256: 05370',
    'sha256: 5ec3e7 5ec3e7 # 5ec3e7',
    '[5ec3e7 # 5ec3e7\n]',
  ]) {
    const { mistakes } = parseYaml(line, { isSecret: true });
    t.equal(mistakes.length, 1, line);
    t.match(mistakes[0], /'…'/, line);
    t.notMatch(mistakes[0], /5ec3e7|5370/, line);
  }
});

/** Lines that no other line can mend, and the position and text of the mistake. */
const REFUSED: readonly (readonly [string, string, RegExp])[] = [
  ['<<: {a: b}', '3:5', /merges nothing/],
  ['"<<": {a: b}', '3:5', /merges nothing/],
  ['? when\n    : a', '3:5', /explicit key/],
  ['map: {? a : b}', '3:11', /explicit key/],
  ['map: {: b}', '3:11', /must be text/],
  ['a: b\n    a: c', '4:5', /twice/],
  ['a: b\n    "a": c', '4:5', /twice/],
  ['"a": b\n    "\\x61": c', '4:5', /twice/],
  ['map: {a: b, a: c}', '3:17', /twice/],
  ['a: b\rc: d', '3:9', /U\+000D/],
  ['a: b\u2028c: d', '3:9', /U\+2028/],
  ['a: b\u0085c: d', '3:9', /U\+0085/],
  ['# \u202e a', '3:7', /U\+202E/],
  ['a: \0', '3:8', /U\+0000/],
  ['a: \ufeff', '3:8', /U\+FEFF/],
  ['a: b\n---\nc: d', '4:1', /second document/],
  ['a: b\n...\nc: d', '5:1', /second document/],
];

/** A line separator in the name of a test would end tap's report there. */
const toName = (lines: string) =>
  JSON.stringify(lines).replaceAll(
    /[^ -~]/g,
    (odd) => `\\u${odd.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );

for (const [lines, position, message] of REFUSED)
  t.test(`refuses ${toName(lines)}, and says where`, async (t) => {
    const { mistakes } = parse(lines);
    const [mistake = ''] = mistakes;
    t.equal(mistakes.length, 1, mistakes.join('\n'));
    t.ok(mistake.startsWith(`${position}: `), mistake);
    t.match(mistake, message);
  });

for (const lines of [
  'when: >-\n      a\n     # b\n      || c',
  'when:\n      a\n      # b\n      || c',
  'when: a ? b : c',
  'when: %a',
  'when: @a',
  'when: `a`',
  "when: 'a'#b",
  '{a: b}: c',
  '[a]: b',
])
  t.test(`refuses ${JSON.stringify(lines)}`, async (t) => {
    t.ok(parse(lines).mistakes.length > 0);
  });

/** What hides nothing. */
const TAKEN: readonly (readonly [string, unknown])[] = [
  ["when: '!a && b' # c", { when: '!a && b' }],
  ['when: "a" # c', { when: 'a' }],
  ['when: >- # c\n      a\n      || b', { when: 'a || b' }],
  ['when: |\n      a # b', { when: 'a # b\n' }],
  ['# when: a\n    when: b', { when: 'b' }],
  ['verdict: BLOCK # c', { verdict: 'BLOCK' }],
  ['count: 5 # c', { count: 5 }],
  ['list: [a, b] # c', { list: ['a', 'b'] }],
  ['list: [a, # c\n      b]', { list: ['a', 'b'] }],
  ['list:\n      - a # c', { list: ['a'] }],
  ['url: https://a.example/#b', { url: 'https://a.example/#b' }],
  ['text: a! b&c d*e', { text: 'a! b&c d*e' }],
  ['exempt: yes', { exempt: 'yes' }],
  ['exempt: true', { exempt: true }],
  ['time: 2027-01-31T00:00:00Z', { time: '2027-01-31T00:00:00Z' }],
  ['count: -7', { count: -7 }],
  ['when: a\n      || b', { when: 'a || b' }],
];

for (const [lines, members] of TAKEN)
  t.test(`takes ${JSON.stringify(lines)}`, async (t) => {
    const { mistakes, value } = parse(lines);
    t.same(mistakes, []);
    t.strictSame(value, { rules: [{ id: 'r', ...(members as object) }] });
  });

t.test('refuses directives, which may change the version of YAML and what tags mean', async (t) => {
  for (const text of ['%YAML 1.1\n---\na: yes\n', '# c\n%TAG ! tag:x,\n---\na: b\n', '%X\n---\na: b\n'])
    t.match(parseYaml(text).mistakes, [/^\d:1: a YAML directive is refused/], text);
});

t.test('takes one document with its markers, a byte order mark, or Windows line ends', async (t) => {
  for (const text of ['---\na: b\n', 'a: b\n...\n', '\ufeffa: b\n', '# c\r\na: b\r\n', '{"a": "b"}'])
    t.strictSame(
      { mistakes: parseYaml(text).mistakes, value: parseYaml(text).value },
      { mistakes: [], value: { a: 'b' } },
      JSON.stringify(text),
    );
});

t.test('refuses what is nested deeply, however deeply', async (t) => {
  for (const depth of [40, 2_000, 50_000])
    for (const text of [
      '['.repeat(depth),
      '['.repeat(depth) + ']'.repeat(depth),
      '- '.repeat(depth),
      '{a: '.repeat(depth),
      `a: ${'['.repeat(depth)}${']'.repeat(depth)}`,
    ])
      t.ok(parseYaml(text).mistakes.length > 0);
  t.match(parseYaml('['.repeat(40) + ']'.repeat(40)).mistakes, [/deeper than 32/]);
  t.same(parseYaml('['.repeat(30) + ']'.repeat(30)).mistakes, []);
});

t.test('lists a hundred mistakes and says that there are more', async (t) => {
  const keys = Array.from({ length: 5_000 }, (_, index) => `key${index}: 1`).join('\n');
  const document = parseYaml(keys);
  const found = Array.from({ length: 5_000 }, (_, index) => ({
    path: [`key${4_999 - index}`],
    message: 'x',
  }));
  const mistakes = document.describe(found);
  t.equal(mistakes.length, 101);
  t.same(mistakes.slice(0, 2), ['1:7: key0: x', '2:7: key1: x'], 'the first of the file');
  t.match(mistakes.at(-1), /^101:9: .*more mistakes/);
  t.equal(parseYaml('a: !x b\n'.repeat(5_000)).mistakes.length, 101);
  t.equal(parseYaml('}\n'.repeat(5_000)).mistakes.length, 101);
  t.equal(parseYaml(keys.replaceAll(': 1', ': 01')).mistakes.length, 101);
});

t.test('bounds the length of a mistake, and quotes no control character', async (t) => {
  const name = `\\e[31m${'x'.repeat(100_000)}`;
  const document = parseYaml(`"${name}": 1\n`);
  const [mistake = ''] = document.describe([
    { path: [`\u001b[31m${'x'.repeat(100_000)}`], message: 'y'.repeat(100_000) },
  ]);
  t.ok(mistake.length < 2_000, `${mistake.length}`);
  t.notMatch(mistake, /\p{Cc}/u);
});

t.test('tells text whose lines are joined from text whose lines are kept', async (t) => {
  const isFolded = (when: string) => parse(`when: ${when}`).isFolded(['rules', 0, 'when']);
  for (const when of [
    'a\n      || b',
    "'a\n      || b'",
    '"a\n      || b"',
    '>\n      a\n      || b',
    '>-\r\n      a\r\n      || b',
  ])
    t.equal(isFolded(when), true, JSON.stringify(when));
  for (const when of ['a', "'a'", '"a\\nb"', '|\n      a\n      || b', '>-\n      a'])
    t.equal(isFolded(when), false, JSON.stringify(when));
});
