import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { runCommand } from '../support/run-cli.ts';
import { ROOT } from '../support/start-program.ts';
import { createDirectory } from '../support/test-app.ts';

/** A policy whose rules have these conditions. */
function createPolicy(t: Test, ...conditions: readonly string[]): string {
  const path = join(createDirectory(t), 'mine.yaml');
  const rules = conditions.map(
    (when, place) => `  - id: rule-${place}\n    when: '${when}'\n    verdict: BLOCK\n    reason: R\n`,
  );
  writeFileSync(path, `policy: mine\notherwise: ALLOW\nrules:\n${rules.join('')}`);
  return path;
}

t.test('names file, line, column and rule of every mistake, and what was meant', async (t) => {
  const path = createPolicy(
    t,
    '!stytch.fond',
    'stytch.asn in [1, "a"]',
    'stytch.found && 1/0 == 1',
    'int("abc") == 1 || stytch.found',
    'stytch.found',
  );
  const { code, text, err } = await runCommand(['check', path]);
  t.match({ code, err }, { code: 1, err: '' });
  const lines = text.trimEnd().split('\n');
  t.match(lines, [
    `${path}:5:20: rule rule-0, when: stytch has no signal "fond": did you mean "found"?`,
    `${path}:9:30: rule rule-1, when: a list holds values of one type`,
    `${path}:13:28: rule rule-2, when: can never be evaluated: division by zero`,
    `${path}:17:12: rule rule-3, when: can never be evaluated: `,
    `${path}: 4 mistakes. A service would refuse it.`,
  ]);
  const { json } = await runCommand(['check', path, '--json']);
  t.match(json, { ok: false, file: path, policy: null, warnings: [] });
  t.match(json.mistakes[0], { file: path, line: 5, column: 20, rule: 'rule-0', message: /"found"/ });
  t.equal(json.mistakes.length, 4);
});

t.test('refuses what a start refuses, in the same words', async (t) => {
  const path = createPolicy(t, 'stytch.found && 1/0 == 1');
  const started = await runCommand(['config', 'check', '--json'], { env: { POLICY_FILE: path } });
  const { json } = await runCommand(['check', path, '--json']);
  const [{ line, column, message }] = json.mistakes;
  t.ok(started.json.mistakes.includes(`POLICY_FILE ${path}:${line}:${column}: ${message}`));
});

t.test('warns of what a service takes and nobody means', async (t) => {
  const path = createPolicy(t, 'stytch.found', 'stytch.found  ', 'true');
  const { code, text, json } = await runCommand(['check', path, '--json']);
  t.equal(code, 0, text);
  t.match(json, {
    ok: true,
    policy: { id: 'mine', hash: /^sha256:/, rules: 3 },
    mistakes: [],
    warnings: [
      { line: 9, rule: 'rule-1', message: /is the condition of rule rule-0 too/ },
      { line: 13, rule: 'rule-2', message: /reads nothing/ },
    ],
  });
  t.match((await runCommand(['check', path])).text, /^warning: .*:13:11: rule rule-2, when: reads nothing/m);
});

t.test(
  'checks the file of POLICY_FILE, or the one that a service would take, where none is named',
  async (t) => {
    const path = createPolicy(t, 'stytch.fond');
    t.match(await runCommand(['check'], { env: { POLICY_FILE: path } }), { code: 1, text: path });
    t.match(await runCommand(['check']), {
      code: 0,
      text: /default\.yaml: the policy "default" with \d+ rules is good/,
    });
    const here = process.cwd();
    process.chdir(createDirectory(t));
    t.teardown(() => process.chdir(here));
    t.match(await runCommand(['check', '--json']), {
      code: 0,
      json: { file: join(ROOT, 'policies/default.yaml') },
    });
  },
);

t.test('says that a file is broken as YAML, or cannot be read', async (t) => {
  const path = createPolicy(t);
  t.match(await runCommand(['check', path]), {
    code: 1,
    text: /mine\.yaml:3:7: rules: must be a list, not empty/,
  });
  writeFileSync(path, 'policy: [\n');
  t.match(await runCommand(['check', path, '--json']), {
    code: 1,
    json: { mistakes: [{ line: 2, rule: null }] },
  });
  t.match(await runCommand(['check', `${path}.none`, '--json']), {
    code: 3,
    json: { error: { code: 'file_unreadable', message: /ENOENT/ } },
  });
  t.match(await runCommand(['check', path, path]), { code: 2, err: /too many arguments/ });
});
