import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { toJunit } from '../../src/cli/policy/to-junit.ts';
import { runCommand } from '../support/run-cli.ts';
import { createDirectory } from '../support/test-app.ts';

const POLICY = `policy: mine
otherwise: ALLOW
rules:
  - id: not-found
    when: '!stytch.found'
    verdict: BLOCK
    reason: NOT_FOUND
`;
const HEAD = `policy: mine.yaml
evidence:
  stytch: { outcome: ok, signals: { found: true } }
cases:
`;
const GOOD = `  - name: found
    decision: ALLOW
  - name: not found
    given: { stytch: { outcome: not_found } }
    decision: BLOCK
    reasons: [NOT_FOUND]
`;
const BAD = `  - name: wrong
    given: { stytch: { outcome: not_found } }
    decision: ALLOW
`;

/** A policy with these cases beside it. */
function createCases(t: Test, cases: string, policy = POLICY): string {
  const directory = createDirectory(t);
  writeFileSync(join(directory, 'mine.yaml'), policy);
  writeFileSync(join(directory, 'mine.test.yaml'), cases);
  return directory;
}

t.test('runs the cases beside a policy, and those of a file of cases', async (t) => {
  const directory = createCases(t, HEAD + GOOD);
  const path = join(directory, 'mine.test.yaml');
  for (const file of ['mine.yaml', 'mine.test.yaml']) {
    const ran = await runCommand(['test', join(directory, file)]);
    t.match(ran, { code: 0, err: '', text: `${path}: 2 passed, 0 failed\n` });
  }
  const all = await runCommand(['test'], { env: { POLICY_FILE: join(directory, 'mine.yaml') } });
  t.match(all, { code: 0, text: `${path}: 2 passed, 0 failed\n` });
});

t.test('runs all cases of policies/ without a file', async (t) => {
  const { code, json } = await runCommand(['test', '--json']);
  t.match({ code, json }, { code: 0, json: { ok: true, failed: 0 } });
  t.ok(json.files.length >= 2 && json.passed > 100);
});

t.test('shows what failed as a diff with its place, without colour where it is no terminal', async (t) => {
  const directory = createCases(t, HEAD + GOOD + BAD);
  const path = join(directory, 'mine.test.yaml');
  const report = join(directory, 'report.xml');
  const { code, text } = await runCommand(['test', path, '--junit', report]);
  t.equal(code, 1);
  t.same(text.split('\n'), [
    `${path}:11:5: wrong`,
    '  - decision: ALLOW',
    '  + decision: BLOCK',
    '    reasons:',
    '      NOT_FOUND (not-found is true)',
    '',
    `${path}: 2 passed, 1 failed`,
    '',
  ]);
  const xml = readFileSync(report, 'utf8');
  t.match(xml, /<testsuites name="riskgate test" tests="3" failures="1" errors="0">/);
  t.match(
    xml,
    /<testcase name="wrong" [^>]* line="11">\n *<failure type="difference" message="- decision: ALLOW">/,
  );
  const { json } = await runCommand(['test', path, '--json']);
  t.match(json, { ok: false, passed: 2, failed: 1, files: [{ file: path, policy: { id: 'mine' } }] });
  t.match(json.files[0].cases[2], {
    name: 'wrong',
    line: 11,
    passed: false,
    expected: { decision: 'ALLOW', degraded: false },
    actual: { decision: 'BLOCK', degraded: false, reasons: ['NOT_FOUND'] },
    differences: [{ field: 'decision' }],
  });
});

t.test('shows a diff in colour on a terminal', async (t) => {
  const directory = createCases(t, HEAD + BAD);
  const { text } = await runCommand(['test', join(directory, 'mine.yaml')], { isTerminal: true });
  t.match(text, '\u001B[31m  - decision: ALLOW\u001B[39m');
  t.match(text, '\u001B[32m  + decision: BLOCK\u001B[39m');
});

t.test('ends with 2 and every mistake of all files, and runs nothing', async (t) => {
  const directory = createCases(t, `${HEAD}  - nam: x\n    decision: ALOW\n`);
  writeFileSync(join(directory, 'other.test.yaml'), 'cases: []\n');
  writeFileSync(join(directory, 'broken.test.yaml'), HEAD.replace('mine', 'broken') + GOOD);
  writeFileSync(join(directory, 'broken.yaml'), POLICY.replace('stytch.found', 'stytch.fond'));
  writeFileSync(join(directory, 'odd.test.yaml'), 'policy: [\n');
  const files = ['mine', 'other', 'broken', 'odd'].map((name) => join(directory, `${name}.test.yaml`));
  const { code, text, err } = await runCommand(['test', ...files]);
  t.match({ code, text }, { code: 2, text: '' });
  t.match(err, 'mine.test.yaml:5:5: cases.0.nam: unknown field "nam": did you mean "name"?');
  t.match(
    err,
    'mine.test.yaml:6:15: cases.0.decision: must be one of ALLOW, CHALLENGE, BLOCK: did you mean ALLOW?',
  );
  t.match(err, 'other.test.yaml:1:1: policy: must name the file of the policy');
  t.match(err, 'broken.yaml:5:20: rule not-found, when: stytch has no signal "fond"');
  t.match(err, /odd\.test\.yaml:\d+:\d+: /);
  t.notMatch(err, /^\s+at /m);
});

t.test('ends with 2 where there is nothing to run, or it cannot be read', async (t) => {
  const directory = createCases(t, HEAD.replace('mine', 'other') + GOOD);
  const run = async (...files: string[]) => {
    const { code, err } = await runCommand(['test', ...files.map((file) => join(directory, file))]);
    return `${code} ${err}`;
  };
  t.match(await run('mine.yaml'), /^2 .*cases for other.yaml, and not for the policy beside them/);
  t.match(await run('mine.test.yaml'), /^2 .*other.yaml: cannot be read \(ENOENT\)/);
  t.match(await run('gone.yaml'), /^2 .*there are no cases beside it/);
  t.match(await run('gone.test.yaml'), /^2 .*cannot be read \(ENOENT\)/);
  t.match(await run('mine.txt'), /^2 .*neither a policy nor its cases/);
  const empty = join(directory, 'empty');
  mkdirSync(empty);
  const ran = await runCommand(['test'], { env: { POLICY_FILE: join(empty, 'a.yaml') } });
  t.match(ran, { code: 2, err: /there are no cases in it/ });
  const away = await runCommand(['test'], { env: { POLICY_FILE: join(directory, 'gone/a.yaml') } });
  t.match(away, { code: 2, err: /cannot be read/ });
});

t.test('says what no case reaches, and fails where that is too much', async (t) => {
  const directory = createCases(t, HEAD + GOOD);
  const path = join(directory, 'mine.yaml');
  const ran = await runCommand(['test', path, '--coverage']);
  t.match(ran, { code: 0, text: `${path}: rules 66.6 % (2 of 3), branches 100 % (2 of 2)` });
  t.match(ran.text, '  not-found: never unknown\n');
  const { code, json } = await runCommand(['test', path, '--coverage-min', '66.6', '--json']);
  t.match(
    { code, json },
    { code: 0, json: { ok: true, files: [{ coverage: { rules: { percent: 66.6 } } }] } },
  );
  t.match(json.files[0].coverage.by_rule, [{ rule: 'not-found', branches: [{ text: 'stytch.found' }] }]);
  const low = await runCommand(['test', path, '--coverage-min', '66.7']);
  t.match(low, { code: 1, text: /Less than 66\.7 % is covered\./ });
  for (const wrong of ['101', '-1', 'much', ' '])
    t.equal((await runCommand(['test', path, `--coverage-min=${wrong}`])).code, 2, wrong);
});

t.test('shows mutants that no case notices, and fails where there are too many', async (t) => {
  const directory = createCases(t, HEAD + GOOD);
  const path = join(directory, 'mine.yaml');
  const { code, text } = await runCommand(['test', path, '--mutate']);
  t.equal(code, 0);
  t.match(
    text,
    `${path}: no case notices in not-found: milder when unknown\n  - on_unknown: CHALLENGE\n  + on_unknown: IGNORE\n    there is evidence for which it makes ALLOW of CHALLENGE\n`,
  );
  t.match(text, `${path}: 75 % of 4 mutants are noticed, 1 are not; 0 more are equal to the policy`);
  const { json } = await runCommand(['test', path, '--mutate-min', '75', '--json']);
  t.match(json, { ok: true, files: [{ mutation: { percent: 75, killed: 3, untried: 0 } }] });
  t.match(json.files[0].mutation.survivors, [
    { rule: 'not-found', told: { before: 'CHALLENGE', after: 'ALLOW' } },
  ]);
  const low = await runCommand(['test', path, '--mutate-min', '76']);
  t.match(low, { code: 1, text: /Less than 76 % of the mutants are noticed\./ });
  t.equal((await runCommand(['test', path, '--mutate-min', 'x'])).code, 2);
  const failing = createCases(t, HEAD + BAD);
  const not = await runCommand(['test', join(failing, 'mine.yaml'), '--mutate']);
  t.match(not, { code: 1, text: /Mutants are tried when all cases pass\./ });
});

t.test('ends with 3 where the report cannot be written', async (t) => {
  const directory = createCases(t, HEAD + GOOD);
  const ran = await runCommand([
    'test',
    join(directory, 'mine.yaml'),
    '--junit',
    join(directory, 'no/report.xml'),
  ]);
  t.match(ran, { code: 3, err: /cannot be written \(ENOENT\)/ });
});

t.test('a report for build servers is XML whatever cases are named', async (t) => {
  const name = 'a "b" <c> & \u0007 \uD800';
  const xml = toJunit([{ file: 'f', cases: [{ name, line: 1, failure: null }] }]);
  t.match(
    xml,
    '<testcase name="a &quot;b&quot; &lt;c&gt; &amp; \uFFFD \uFFFD" classname="f" file="f" line="1"/>',
  );
});
