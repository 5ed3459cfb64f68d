import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { readText } from './markdown.ts';
import { CASES, createRepository, POLICY, SOFTER } from './policy-repository.ts';

interface Step {
  readonly name?: string;
  readonly uses?: string;
  readonly run?: string;
  readonly env?: Readonly<Record<string, string>>;
}

t.test('the steps of the workflow check, test, and show the table of changed verdicts', async (t) => {
  const { jobs } = parse(readText('docs/ci/github-actions.yml')) as { jobs: { policies: { steps: Step[] } } };
  const steps = jobs.policies.steps.filter(({ run }) => run !== undefined && run !== 'npm ci');
  t.same(
    steps.map(({ name }) => name),
    ['Check', 'Test', 'Show which verdicts change'],
  );
  const { directory, summary, run, write } = createRepository(t);
  const base = run('git', ['rev-parse', 'HEAD']).text.trim();
  /** As GitHub runs a step without a `shell`. */
  const runStep = ({ run: script = '', env = {} }: Step) => {
    writeFileSync(join(directory, 'step.sh'), script);
    const given = Object.entries(env).map(([name, value]) => {
      t.match(value, /^\$\{\{ github\.event\.pull_request\.base\.sha \}\}$/);
      return [name, base];
    });
    return run('bash', ['-e', 'step.sh'], Object.fromEntries(given) as Record<string, string>);
  };
  write(SOFTER, CASES.replace('BLOCK', 'CHALLENGE'));
  run('git', ['commit', '-q', '-m', 'second']);
  for (const step of steps) t.match(runStep(step), { code: 0 }, step.name ?? '');
  t.match(
    readFileSync(join(directory, 'policy-tests.xml'), 'utf8'),
    '<testsuites name="riskgate test" tests="1"',
  );
  t.match(
    readFileSync(summary, 'utf8'),
    /^### policies\/shop\.yaml\n\n\| before \\ after \| ALLOW \| CHALLENGE \| BLOCK \|\n(.*\n)*\| BLOCK \| CHALLENGE \| \d+ \| not-found → not-found \|/,
  );
  const [check = {}] = steps;
  write(POLICY.replace('stytch.found', 'stytch.fond'), CASES);
  t.match(runStep(check), { code: 1, text: /did you mean "found"\?/ });
});
