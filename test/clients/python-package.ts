/** The package riskgate as a stranger gets it: a wheel, installed into an empty environment. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ROOT } from '../support/start-program.ts';
import { KEYS } from '../support/test-app.ts';
import { openWork, TEST_KEY } from './work.ts';

/** Versions that were tried. They make and check the package, and are no part of it. */
const TOOLS = ['datamodel-code-generator==0.89.0', 'mypy==2.4.1', 'hatchling==1.33.0'] as const;

const { work, origin, run } = await openWork(t);
const SOURCE = 'checkout/clients/python';
const USER = 'user';

async function makeEnvironment(name: string): Promise<string> {
  await run(t, '.', ['python3', '-m', 'venv', name]);
  return join(work, name, 'bin/python');
}

/** Built from a copy, so that nothing of the checkout is used or left behind. */
async function buildWheel(): Promise<string> {
  cpSync(join(ROOT, 'clients/python'), join(work, SOURCE), {
    recursive: true,
    filter: (path) => !/(?:models\.py|__pycache__|dist)$/.test(path),
  });
  mkdirSync(join(work, 'checkout/openapi'));
  cpSync(join(ROOT, 'openapi/openapi.json'), join(work, 'checkout/openapi/openapi.json'));
  const python = await makeEnvironment('tools');
  await run(t, '.', [python, '-m', 'pip', 'install', '--quiet', ...TOOLS]);
  await run(t, SOURCE, ['env', `PATH=${join(work, 'tools/bin')}:${process.env['PATH']}`, './generate.sh']);
  const wheel = ['wheel', '--quiet', '--no-deps', '--no-build-isolation', '--wheel-dir', work, '.'];
  await run(t, SOURCE, [python, '-m', 'pip', ...wheel]);
  const name = readdirSync(work).find((file) => file.endsWith('.whl'));
  if (name === undefined) throw new Error('no wheel was built');
  return join(work, name);
}

const wheel = await buildWheel();
const python = await makeEnvironment(USER);
await run(t, USER, [python, '-m', 'pip', 'install', '--quiet', wheel]);
const CHECKS = join(ROOT, 'test/clients/python-package/checks.py');

t.test('keeps its promises, waited for and awaited', async (t) => {
  const said = await run(t, USER, [python, CHECKS, origin, KEYS.all, TEST_KEY]);
  t.match(said, /^\d\d kept$/);
  t.comment(said);
});

t.test('is typed in full, and so is what uses it', async (t) => {
  const mypy = [join(work, 'tools/bin/mypy'), '--strict', '--python-executable', python] as const;
  await run(t, USER, [...mypy, '--package', 'riskgate']);
  await run(t, USER, [...mypy, CHECKS]);
  t.pass();
});

t.test('the example of its README runs as it is', async (t) => {
  const readme = readFileSync(join(ROOT, 'clients/python/README.md'), 'utf8');
  const [, example = ''] = /```python\n(.*?)```/s.exec(readme) ?? [];
  t.equal(example.trim().split('\n').length, 5);
  writeFileSync(join(work, USER, 'example.py'), example);
  const env = ['env', `RISKGATE_URL=${origin}`, `RISKGATE_API_KEY=${KEYS.all}`] as const;
  t.equal(await run(t, USER, [...env, python, 'example.py']), 'ALLOW');
});
