import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { toDiffMarkdown } from '../../src/cli/policy/to-diff-markdown.ts';
import { witnessSchema } from '../../src/domain/policy-analysis/witness.ts';
import { runCommand } from '../support/run-cli.ts';

const directory = mkdtempSync(join(tmpdir(), 'riskgate-analyze-'));
t.teardown(() => rmSync(directory, { recursive: true }));

/** A policy in a file of its own. */
function write(name: string, rules: string): string {
  const path = join(directory, name);
  writeFileSync(path, `policy: mine\notherwise: ALLOW\nrules:\n${rules}`);
  return path;
}

const EMPTY = { ALLOW: 0, CHALLENGE: 0, BLOCK: 0 };
const FOUND = `  - id: not-found\n    when: '!stytch.found'\n    verdict: BLOCK\n    reason: NOT_FOUND\n`;

t.test('analyzes a policy, and ends with 0 where nothing is wrong', async (t) => {
  const { code, text } = await runCommand(['analyze', write('good.yaml', FOUND)]);
  t.equal(code, 0);
  t.match(text, /^mine: 1 rules, \d+ combinations/);
  t.match(text, /note loss_softens: losing stytch makes CHALLENGE of BLOCK/);
  t.match(text, /Everything was answered\./);
});

t.test('ends with 1 where a rule is dead, and writes what shows the findings', async (t) => {
  const dead = `  - id: dead\n    when: 'stytch.found && stytch.action == "A" && stytch.action == "B"'\n    verdict: BLOCK\n    reason: DEAD\n    on_unknown: IGNORE\n`;
  const odd = `  - id: odd\n    when: 'request.user_agent.matches("x")'\n    verdict: CHALLENGE\n    reason: ODD\n`;
  const out = join(directory, 'witnesses');
  const ran = await runCommand([
    'analyze',
    write('dead.yaml', FOUND + dead + odd),
    '--json',
    '--witness-dir',
    out,
  ]);
  t.equal(ran.code, 1);
  t.match(ran.json.findings[0], { kind: 'dead_rule', severity: 'error', rule: 'dead' });
  t.match(ran.json.limits, [/^request.user_agent: /]);
  const files = readdirSync(out);
  t.ok(files.length > 0);
  for (const file of files) witnessSchema.parse(JSON.parse(readFileSync(join(out, file), 'utf8')));
  const shown = await runCommand(['analyze', join(directory, 'dead.yaml'), '--witness-dir', out]);
  t.match(shown.text, /see .*witnesses/);
  t.match(shown.text, /not told apart: request.user_agent/);
});

t.test('ends with 3 where witnesses cannot be written', async (t) => {
  const policy = write('found.yaml', FOUND);
  const soft = write('found-soft.yaml', FOUND.replace('verdict: BLOCK', 'verdict: CHALLENGE'));
  for (const command of [['analyze', policy] as const, ['diff', policy, soft] as const])
    t.match(await runCommand([...command, '--witness-dir', policy, '--json']), {
      code: 3,
      json: {
        error: { code: 'file_unwritable', message: /found\.yaml: cannot be made a directory \(EEXIST\)/ },
      },
    });
  const taken = join(directory, 'taken');
  mkdirSync(join(taken, '01-block-challenge.json'), { recursive: true });
  t.match(await runCommand(['diff', policy, soft, '--witness-dir', taken]), {
    code: 3,
    err: /01-block-challenge\.json: cannot be written \(EISDIR\)/,
  });
});

t.test('ends with 2 where the file is no policy', async (t) => {
  const { code, err } = await runCommand(['analyze', write('bad.yaml', '  - id: x\n')]);
  t.equal(code, 2);
  t.match(err, /bad.yaml:4/);
});

t.test('compares two policies, and ends with 1 where they differ', async (t) => {
  const soft = write('soft.yaml', FOUND.replace('verdict: BLOCK', 'verdict: CHALLENGE'));
  const out = join(directory, 'differences');
  const ran = await runCommand(['diff', write('good.yaml', FOUND), soft, '--witness-dir', out]);
  t.equal(ran.code, 1);
  t.match(ran.text, /from \\ to +ALLOW +CHALLENGE +BLOCK\n/);
  t.match(ran.text, /BLOCK → CHALLENGE {2}\d+ {2}not-found → not-found, see .*01-block-challenge\.json/);
  const json = await runCommand(['diff', join(directory, 'good.yaml'), soft, '--json']);
  t.match(json.json.classes, [{ from: 'BLOCK', to: 'CHALLENGE', witness: { request: {} } }]);
});

t.test('ends with 0 where they do not differ, and says what it did not tell apart', async (t) => {
  const odd = write(
    'odd.yaml',
    `  - id: odd\n    when: 'request.user_agent.matches("x")'\n    verdict: CHALLENGE\n    reason: ODD\n`,
  );
  const same = await runCommand(['diff', join(directory, 'good.yaml'), join(directory, 'good.yaml')]);
  t.equal(same.code, 0);
  t.match(same.text, /No evidence is judged differently/);
  const doubtful = await runCommand(['diff', odd, odd]);
  t.match(doubtful.text, /not told apart: request.user_agent/);
});

t.test('refuses in `check`, and shows in `analyze`, an assertion that does not hold', async (t) => {
  const path = join(directory, 'never.yaml');
  const never = `never:\n  - verdict: ALLOW\n    when: 'stytch.action == "BLOCK"'\n`;
  writeFileSync(path, `policy: mine\notherwise: ALLOW\n${never}rules:\n${FOUND}`);
  const checked = await runCommand(['check', path]);
  t.equal(checked.code, 1);
  t.match(checked.text, /never\.yaml:5:11: .*never ALLOW when/);
  const { code, json } = await runCommand(['analyze', path, '--json']);
  t.equal(code, 1);
  t.match(json.findings[0], { kind: 'never_violated', witness: { expect: { verdict: 'ALLOW' } } });
});

t.test('writes cases for what no case beside the policy is about, which pass', async (t) => {
  const path = write('generated.yaml', FOUND);
  writeFileSync(
    join(directory, 'generated.test.yaml'),
    'policy: generated.yaml\nevidence: { stytch: { outcome: ok, signals: { found: true } } }\ncases: [{ name: found, decision: ALLOW }]\n',
  );
  const out = join(directory, 'more.test.yaml');
  const ran = await runCommand(['analyze', path, '--generate-tests', out]);
  t.equal(ran.code, 0);
  t.match(ran.text, /The cases come to 1 of 3 ways to decide\.\n2 cases were written to /);
  t.match(readFileSync(out, 'utf8'), /^policy: generated\.yaml\n/);
  t.match(await runCommand(['test', out]), { code: 0, text: /2 passed, 0 failed/ });
  t.match(await runCommand(['analyze', path, '--generate-tests', out]), {
    code: 2,
    err: /there is such a file/,
  });
  const alone = join(directory, 'alone.test.yaml');
  const { json } = await runCommand([
    'analyze',
    write('bare.yaml', FOUND),
    '--json',
    '--generate-tests',
    alone,
  ]);
  t.match(json.generated_tests, { file: alone, classes: 3, covered: 0, generated: 3, left: [] });
  writeFileSync(join(directory, 'bare.test.yaml'), readFileSync(alone, 'utf8'));
  const none = join(directory, 'none.test.yaml');
  const again = await runCommand(['analyze', join(directory, 'bare.yaml'), '--generate-tests', none]);
  t.match(again.text, /The cases come to 3 of 3 ways to decide\.\nNo cases were written\./);
});

t.test('compares as Markdown', async (t) => {
  const soft = write('milder.yaml', FOUND.replace('verdict: BLOCK', 'verdict: CHALLENGE'));
  const good = join(directory, 'good.yaml');
  const out = join(directory, 'markdown');
  const ran = await runCommand([
    'diff',
    good,
    soft,
    '--format',
    'markdown',
    '--title',
    'a|b<c',
    '--witness-dir',
    out,
  ]);
  t.equal(ran.code, 1);
  const lines = ran.text.split('\n');
  t.same(lines.slice(0, 4), [
    '### a\\|b&lt;c',
    '',
    '| before \\ after | ALLOW | CHALLENGE | BLOCK |',
    '| --- | --- | --- | --- |',
  ]);
  t.match(ran.text, /\| BLOCK \| 0 \| \*\*\d+\*\* \| 0 \|/);
  t.match(ran.text, /\| BLOCK \| CHALLENGE \| \d+ \| not-found → not-found \| .*01-block-challenge\.json \|/);
  const same = await runCommand(['diff', good, good, '--format', 'markdown']);
  t.match(same, { code: 0, text: /^### .*good\.yaml\n\nNo evidence is judged differently\.\n/ });
  t.equal((await runCommand(['diff', good, good, '--format', 'html'])).code, 2);
});

t.test('says in Markdown what was not compared, not shown and not told apart', async (t) => {
  const table = { ALLOW: { ALLOW: 1, CHALLENGE: 2, BLOCK: 0 }, CHALLENGE: EMPTY, BLOCK: EMPTY };
  const row = {
    from: 'ALLOW',
    to: 'CHALLENGE',
    combinations: 2,
    rules: null,
    isDoubtful: true,
    path: null,
  } as const;
  const one = { ...row, fromRule: null, toRule: null };
  const found = { classes: [one, one], table, limits: ['request.ip: much'], tellsRules: false };
  const text = toDiffMarkdown('t', found, [row]).join('\n');
  t.match(
    text,
    '| ALLOW | CHALLENGE | 2 |  | may be: none could be given |\n\nAnd 1 smaller classes.\n\n- not told apart: request.ip: much',
  );
  t.match(toDiffMarkdown('t', { ...found, classes: null }, []), ['### t', '', /A bound was reached/]);
});
