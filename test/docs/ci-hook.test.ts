import { chmodSync, copyFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { ROOT } from '../support/start-program.ts';
import { fencesOf, readText } from './markdown.ts';
import { CASES, createRepository, POLICY, SOFTER } from './policy-repository.ts';

t.test('the hook refuses a commit that fails, and shows what one that passes changes', async (t) => {
  const { directory, run, write } = createRepository(t);
  const hook = join(directory, '.git/hooks/pre-commit');
  mkdirSync(join(directory, '.git/hooks'), { recursive: true });
  copyFileSync(join(ROOT, 'docs/ci/pre-commit'), hook);
  chmodSync(hook, 0o755);
  write(SOFTER, CASES);
  // What is staged counts, and not what is in the folder.
  writeFileSync(join(directory, 'policies/shop.yaml'), POLICY);
  t.match(run('git', ['commit', '-q', '-m', 'second']), { code: 1, text: /\+ decision: CHALLENGE/ });
  write(SOFTER, CASES.replace('BLOCK', 'CHALLENGE'));
  const { code, text } = run('git', ['commit', '-q', '-m', 'second']);
  t.equal(code, 0);
  t.match(text, /policies\/shop\.yaml:\nfrom \\ to(.*\n)*BLOCK → CHALLENGE {2}\d+ {2}not-found → not-found/);
  writeFileSync(join(directory, 'other.txt'), '');
  run('git', ['add', 'other.txt']);
  t.match(run('git', ['commit', '-q', '-m', 'third']), { code: 0, text: '' });
});

t.test('the file of the tool pre-commit names the hook', async (t) => {
  const [fence] = fencesOf(readText('docs/ci/README.md'), 'yaml');
  const { repos } = parse(fence?.text ?? '') as { repos: { hooks: { entry: string; files: string }[] }[] };
  const [hook] = repos[0]?.hooks ?? [];
  t.equal(hook?.entry, 'sh docs/ci/pre-commit');
  t.match('policies/shop.yaml', new RegExp(hook?.files ?? 'none'));
});
