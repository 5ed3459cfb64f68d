import { spawnSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { createDirectory } from '../support/test-app.ts';
import { readText } from './markdown.ts';
import { installRiskgate } from './policy-repository.ts';

/** The blocks of the guide, in their order. */
const blocks = [...readText('docs/changing-a-policy.md').matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(
  ([, kind = '', text = '']) => ({ kind, text }),
);

t.test('the guide does what it says: every file, every command and what it prints', async (t) => {
  const directory = createDirectory(t);
  installRiskgate(directory);
  let printed = '';
  let commands = 0;
  for (const { kind, text } of blocks) {
    if (kind === 'yaml') {
      const path = join(directory, /^# (policies\/\S+)\n/.exec(text)?.[1] ?? 'none');
      mkdirSync(dirname(path), { recursive: true });
      writeFileSync(path, text);
    } else if (kind === 'sh') {
      const ran = spawnSync('bash', ['-c', text], { cwd: directory, encoding: 'utf8' });
      printed = `${ran.stdout}${ran.stderr}`;
      commands += 1;
    } else {
      t.equal(kind, 'text');
      t.equal(printed.trimEnd(), text.trimEnd());
    }
  }
  t.equal(commands, 7);
  t.equal(blocks.filter(({ kind }) => kind === 'text').length, 6);
});
