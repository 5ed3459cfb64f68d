import { readFileSync } from 'node:fs';
import t from 'tap';
import { ROOT } from '../support/start-program.ts';

const page = readFileSync(`${ROOT}/docs/clients.md`, 'utf8');

t.test('the page shows for each language what is compiled and run', async (t) => {
  for (const [language, file] of [
    ['go', 'go/verdict.go'],
    ['java', 'java/Verdict.java'],
  ] as const) {
    const program = readFileSync(`${ROOT}/test/clients/${file}`, 'utf8');
    t.ok(page.includes(`\`\`\`${language}\n${program}\`\`\``), file);
  }
});

t.test('the page shows the five lines of each package, which are run', async (t) => {
  for (const [language, folder] of [
    ['js', 'typescript'],
    ['python', 'python'],
  ] as const) {
    const readme = readFileSync(`${ROOT}/clients/${folder}/README.md`, 'utf8');
    const [example = ''] = new RegExp(`\`\`\`${language}\\n.*?\`\`\``, 's').exec(readme) ?? [];
    t.match(example, /decide_?or_?challenge/i);
    t.ok(page.includes(example), folder);
  }
});

t.test('what makes the models of the Python package is named, in the version that is tested', async (t) => {
  const build = readFileSync(`${ROOT}/test/clients/python-package.ts`, 'utf8');
  const [tool = ''] = /datamodel-code-generator==[\d.]+/.exec(build) ?? [];
  t.not(tool, '');
  const readme = readFileSync(`${ROOT}/clients/python/README.md`, 'utf8');
  for (const text of [page, readme]) t.ok(text.includes(`pip install ${tool} && ./generate.sh`));
});
