import { hash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import t from 'tap';
import { toSpaceProviders } from '../../src/app/space-providers.ts';
import { describeWarnings, loadPolicy } from '../../src/application/load-policy.ts';
import { compileLinearPattern } from '../../src/platform/linear-pattern.ts';
import { parseYaml } from '../../src/platform/yaml-document.ts';
import { VENDORS } from '../support/vendors.ts';

function load(text: string) {
  return loadPolicy(text, {
    providers: VENDORS,
    parse: parseYaml,
    compilePattern: compileLinearPattern,
    sha256: (content) => hash('sha256', content),
  });
}

function mistakesIn(text: string): readonly string[] {
  const loaded = load(text);
  return loaded.ok ? [] : loaded.mistakes;
}

const HEAD = 'policy: p\notherwise: ALLOW\nrules:\n  - id: r\n    verdict: BLOCK\n    reason: R\n';

/** Ways to write one condition in YAML. `zzz` stands once in each, and is no variable. */
const SCALARS: readonly (readonly [string, string])[] = [
  ['plain', '    when: stytch.found && zzz\n'],
  ['plain at the very start', '    when: zzz && stytch.found\n'],
  ['plain over several lines', '    when: stytch.found\n      &&\n      zzz\n'],
  ['plain over several lines and an empty one', '    when: stytch.found\n\n      && zzz\n'],
  ['plain on the next line', '    when:\n      stytch.found && zzz\n'],
  ['plain with a tab inside', '    when: stytch.found &&\tzzz\n'],
  ['single-quoted', "    when: 'stytch.found && zzz'\n"],
  ['single-quoted with doubled quotes', "    when: 'stytch.action == ''BLOCK'' && zzz'\n"],
  ['single-quoted over several lines', "    when: 'stytch.found\n      && zzz'\n"],
  ['double-quoted', '    when: "stytch.found && zzz"\n'],
  ['double-quoted with escaped quotes', '    when: "stytch.action == \\"BLOCK\\" && zzz"\n'],
  ['double-quoted with escaped backslashes', '    when: "stytch.action == \'a\\\\\\\\b\' && zzz"\n'],
  ['double-quoted with an escaped line break', '    when: "stytch.found && \\\n      zzz"\n'],
  ['double-quoted with a written line break', '    when: "stytch.found &&\\nzzz"\n'],
  ['double-quoted with a written tab', '    when: "stytch.found &&\\tzzz"\n'],
  ['double-quoted with characters by number', '    when: "stytch.action == \'\\x5a\\u005a\' && zzz"\n'],
  ['double-quoted over several lines', '    when: "stytch.found\n      && zzz"\n'],
  ['folded', '    when: >\n      stytch.found\n      && zzz\n'],
  ['folded without its last line break', '    when: >-\n      stytch.found && zzz\n'],
  ['folded with all its line breaks', '    when: >+\n      stytch.found && zzz\n\n'],
  ['folded with a comment in its head', '    when: > # zzz is meant\n      stytch.found && zzz\n'],
  [
    'folded with lines that are indented more',
    '    when: >\n      stytch.found\n        && true\n      && zzz\n',
  ],
  ['folded after an empty line', '    when: >\n\n      stytch.found && zzz\n'],
  ['literal', '    when: |\n      stytch.found\n      && zzz\n'],
  ['literal with its indentation given', '    when: |2\n        stytch.found && zzz\n'],
  ['literal in Windows line endings', '    when: |\r\n      stytch.found\r\n      && zzz\r\n'],
  ['folded in Windows line endings', '    when: >-\r\n      stytch.found\r\n      && zzz\r\n'],
  ['after characters beyond ASCII', '    when: \'stytch.action == "ü日本" && zzz\'\n'],
  ['single-quoted with a comment after it', "    when: 'stytch.found && zzz' # && zz\n"],
  ['after a comment in CEL', '    when: |\n      // a note\n      stytch.found && zzz\n'],
];

/** Counts from 1; columns in UTF-16 units, as editors and compilers count them. */
function positionOf(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `${before.length}:${(before.at(-1) ?? '').length + 1}`;
}

for (const [style, lines] of SCALARS) {
  t.test(`says where a mistake stands in a condition that is ${style}`, async (t) => {
    const text = HEAD + lines;
    const mistakes = mistakesIn(text);
    t.equal(mistakes.length, 1);
    const after = style.includes('comment in its head') ? text.indexOf('\n', text.indexOf('>')) : 0;
    const position = positionOf(text, text.indexOf('zzz', after));
    t.ok(mistakes[0]?.startsWith(`${position}: rule r, when: `), `${position} in ${mistakes[0]}`);
    t.match(mistakes[0], /zzz/);
  });
}

t.test('says where a mistake stands in a flow mapping', async (t) => {
  const text =
    "policy: p\notherwise: ALLOW\nrules: [{id: r, when: 'stytch.found && zzz', verdict: BLOCK, reason: R}]\n";
  t.match(mistakesIn(text), [new RegExp(`^${positionOf(text, text.indexOf('zzz'))}: rule r, when: `)]);
});

/** Conditions of which YAML or a comment leaves less than was written, and where that is. */
const CUT: readonly (readonly [string, string])[] = [
  ["when: !stytch.found && stytch.action != 'BLOCK'", '7:11'],
  ['when: !stytch.found && mobilerun.found', '7:11'],
  ['when: &&mobilerun.found prefactor.found', '7:11'],
  ['when: !stytch.found', '7:11'],
  ['when: *bad', '7:11'],
  ['when: &bad stytch.found', '7:11'],
  ['when: !!str stytch.found', '7:11'],
  ['when: stytch.found # && mobilerun.found', '7:24'],
  ['when: stytch.found\n      && mobilerun.found # && prefactor.found', '8:26'],
  ['description: Offenders of rule #1\n    when: stytch.found', '7:36'],
  ['when: >-\n      stytch.found // known\n      && mobilerun.found', '8:20'],
  ["when: 'stytch.found // known\n      && mobilerun.found'", '7:25'],
  ['when: stytch.found // known\n      && mobilerun.found', '7:24'],
  ['when: "stytch.found // known\n      && mobilerun.found"', '7:25'],
];

for (const [lines, position] of CUT)
  t.test(`refuses ${JSON.stringify(lines)}, which would run as something else`, async (t) => {
    const mistakes = mistakesIn(`${HEAD}    ${lines}\n`);
    t.equal(mistakes.length, 1);
    t.ok(mistakes[0]?.startsWith(`${position}: `), `${position} in ${mistakes[0]}`);
  });

t.test(
  'takes comments in CEL where lines are kept, and two slashes in quotes where they are not',
  async (t) => {
    for (const lines of [
      'when: |\n      stytch.found // known\n      && mobilerun.found',
      "when: 'stytch.found // known'",
      'when: >-\n      stytch.action == "http://x"\n      && mobilerun.found',
      "when: >-\n      stytch.action == 'it\\'s // x'\n      && mobilerun.found",
      "when: >-\n      stytch.action == '''a ' // x'''\n      && mobilerun.found",
      'when: >-\n      stytch.action == """a " // x"""\n      && mobilerun.found',
    ])
      t.strictSame(mistakesIn(`${HEAD}    ${lines}\n`), [], lines);
  },
);

/** Mistakes outside of conditions: the file, and the position and name of each. */
const MISTAKES: readonly (readonly [string, string, readonly RegExp[]])[] = [
  [
    'an unknown field',
    `${HEAD}    when: 'true'\n    whenn: 'true'\n`,
    [/^8:5: rule r, whenn: unknown field/],
  ],
  ['an unknown field at the top', `${HEAD}    when: 'true'\nmode: x\n`, [/^8:1: mode: unknown field/]],
  [
    'an unknown field of a parameter',
    `${HEAD}    when: 'true'\nparameters: {p: {type: int, value: 1, vlaue: 2}}\n`,
    [/^8:\d+: parameters\.p\.vlaue: unknown field "vlaue"/],
  ],
  [
    'a rule without an id',
    `policy: p\notherwise: ALLOW\nrules:\n  - {when: 'zzz', verdict: BLOCK, reason: R}\n`,
    [/^4:\d+: rules\.0\.when: there is no variable/],
  ],
  ['a missing field', HEAD, [/^4:5: rule r, when: /]],
  [
    'a missing otherwise',
    `policy: p\n${HEAD.split('\n').slice(2).join('\n')}    when: 'true'\n`,
    [/^1:1: otherwise: /],
  ],
  [
    'a duplicate id',
    `${HEAD}    when: 'true'\n  - {id: r, when: 'true', verdict: BLOCK, reason: R}\n`,
    [/^8:10: rule r, id: .*"r"/],
  ],
  ['a duplicate key', `${HEAD}    when: 'true'\n    when: 'false'\n`, [/^8:5: /]],
  [
    'an unknown verdict',
    `${HEAD.replace('BLOCK', 'REFUSE')}    when: 'true'\n`,
    [/^5:14: rule r, verdict: /],
  ],
  ['a condition that is no bool', `${HEAD}    when: '1'\n`, [/^7:\d+: rule r, when: .*int/]],
  ['a condition that is no text', `${HEAD}    when: true\n`, [/^7:11: rule r, when: /]],
  [
    'an error of types',
    `${HEAD}    when: 'stytch.asn == "x"'\n`,
    [/^7:\d+: rule r, when: .*types that do not fit/],
  ],
  ['an unfinished condition', `${HEAD}    when: 'stytch.found &&'\n`, [/^7:\d+: rule r, when: /]],
  [
    'a pattern that could hang',
    `${HEAD}    when: 'stytch.action.matches("(?=x)")'\n`,
    [/^7:\d+: rule r, when: .*RE2/],
  ],
  ['broken YAML', 'policy: [\n', [/^2:1: /]],
  ['a tab for indentation', 'policy: p\nrules:\n\t- x\n', [/^3:1: /]],
  ['an empty file', '', [/^1:1: /]],
  ['a list', '- a\n', [/^1:1: /]],
];

for (const [what, text, patterns] of MISTAKES) {
  t.test(`refuses ${what}, and says where`, async (t) => {
    const mistakes = mistakesIn(text);
    t.ok(mistakes.length >= patterns.length);
    for (const pattern of patterns)
      t.ok(
        mistakes.some((mistake) => pattern.test(mistake)),
        `${pattern} in ${mistakes.join('\n')}`,
      );
    for (const mistake of mistakes) t.match(mistake, /^[1-9]\d*:[1-9]\d*: \S/);
  });
}

t.test('names every mistake at once, in the order of the file', async (t) => {
  const text = `policy: P!
otherwise: PERHAPS
rules:
  - {id: R, when: 'zzz', verdict: BLOCK, reason: R}
  - {id: s, when: 'stytch.nonsense == 1', verdict: NO, reason: r, mode: 1}
  - {id: s, when: 'stytch.asn == "x"', verdict: BLOCK, reason: R}
`;
  const mistakes = mistakesIn(text);
  const places = mistakes.map((mistake) => /^(\d+):\d+: ([\w., ]+):/.exec(mistake)?.slice(1).join(' '));
  const expected = [
    '1 policy',
    '2 otherwise',
    '4 rules.0.id',
    '4 rules.0.when',
    '5 rule s, when',
    '5 rule s, verdict',
    '5 rule s, reason',
    '5 rule s, mode',
    '6 rule s, id',
    '6 rule s, when',
  ];
  t.same(places, expected);
});

t.test('identifies a policy by the content of its file', async (t) => {
  const text = `${HEAD}    when: 'true'\n`;
  const [first, second] = [load(text), load(`${text}# a note\n`)];
  if (!first.ok || !second.ok) throw new Error('refused');
  t.equal(first.value.hash, `sha256:${hash('sha256', text)}`);
  t.not(first.value.hash, second.value.hash);
});

t.test('loads every policy that is delivered', async (t) => {
  const directory = new URL('../../policies/', import.meta.url);
  const names = readdirSync(directory).filter(
    (name) => name.endsWith('.yaml') && !name.endsWith('.test.yaml'),
  );
  t.ok(names.length >= 2);
  for (const name of names)
    t.strictSame(mistakesIn(readFileSync(new URL(name, directory), 'utf8')), [], name);
});

t.test('warns of a condition that two rules have, and of one that reads nothing', async (t) => {
  const text = `${HEAD}    when: 'stytch.found'
  - {id: s, when: ' stytch.found', verdict: BLOCK, reason: S}
  - {id: u, when: '1 == 1', verdict: BLOCK, reason: U}
`;
  const warningsOf = (source: string) => {
    const loaded = load(source);
    return loaded.ok ? describeWarnings(loaded.value, source, parseYaml) : loaded.mistakes;
  };
  t.same(warningsOf(text), [
    '8:19: rule s, when: is the condition of rule r too',
    '9:19: rule u, when: reads nothing, so that it is the same for everyone',
  ]);
  t.same(warningsOf(`${HEAD}    when: 'stytch.found'\n`), []);
});

t.test('proves what a policy asserts never to do', async (t) => {
  const prove = (when: string) => {
    const unproven: (readonly string[])[] = [];
    const text = `policy: p\notherwise: ALLOW\nnever:\n  - verdict: ALLOW\n    when: '${when}'\nrules:\n  - id: r\n    when: 'stytch.found && stytch.action == "BLOCK"'\n    verdict: BLOCK\n    reason: R\n`;
    const loaded = loadPolicy(text, {
      providers: VENDORS,
      parse: parseYaml,
      compilePattern: compileLinearPattern,
      sha256: (content) => hash('sha256', content),
      proof: { providers: toSpaceProviders(VENDORS), onUnproven: (assertions) => unproven.push(assertions) },
    });
    return { mistakes: loaded.ok ? [] : loaded.mistakes, unproven };
  };
  t.same(prove('stytch.action == "BLOCK"'), { mistakes: [], unproven: [] });
  t.match(prove('stytch.action == "CHALLENGE"').mistakes, [
    /^5:11: .*never ALLOW when stytch.action == "CHALLENGE": it is, for some evidence: \{"evidence":/,
  ]);
  t.match(prove('stytch.fond').mistakes, [/^5:\d+: .*no signal "fond"/]);
  const doubtful = prove('request.user_agent.matches("^Q")');
  t.same(doubtful.mistakes, []);
  t.match(doubtful.unproven, [[/it could not be proven/]]);
});
