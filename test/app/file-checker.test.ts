import { hash } from 'node:crypto';
import { chmodSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { checkFile, type FileQuestion } from '../../src/app/check-file.ts';
import { createFileChecker } from '../../src/app/file-checker.ts';
import { createDirectory } from '../support/test-app.ts';
import { VENDORS } from '../support/vendors.ts';

const directory = createDirectory(t);
const key = (text: string) => `keys: [{id: one, sha256: ${hash('sha256', text)}, scopes: [read]}]\n`;
const rule = (when: string) =>
  `policy: p\notherwise: ALLOW\nrules: [{id: r, when: '${when}', verdict: BLOCK, reason: R}]\n`;

/** Files that are taken and refused, by kind. */
const FILES: readonly (readonly [FileQuestion['kind'], string])[] = [
  ['policy', rule('!stytch.found')],
  ['policy', rule('!stytch.lost')],
  ['policy', 'policy: !p x\n'],
  ['api_keys', key('x')],
  ['api_keys', key('demo-key')],
  ['api_keys', 'keys: []\n'],
  ['gateway_profiles', 'profiles: {one: {caller: {addresses: [10.0.0.0/8]}}}\n'],
  ['gateway_profiles', `profiles: {one: {caller: {sha256: ${hash('sha256', 'changeme')}}}}\n`],
  ['gateway_profiles', 'profiles: {one: {challenge: never}}\n'],
];

t.test('comes to the same in a thread of its own as in this one', async (t) => {
  const checker = createFileChecker(VENDORS.map(({ id }) => id));
  const results = new Set<boolean>();
  for (const [index, [kind, text]] of FILES.entries()) {
    const path = join(directory, String(index));
    writeFileSync(path, text, { mode: 0o600 });
    for (const isExposed of [false, true]) {
      const here = checkFile({ kind, path, isExposed }, VENDORS);
      t.same(await checker.check({ kind, path, isExposed }), here, text);
      results.add(here.ok);
    }
  }
  t.equal(results.size, 2, 'some are taken and some refused');
});

t.test('refuses files beyond the bound of their kind before it reads them', async (t) => {
  const path = join(directory, 'large');
  for (const [kind, bytesMax] of [
    ['policy', 1_048_576],
    ['api_keys', 5_242_880],
    ['gateway_profiles', 5_242_880],
  ] as const) {
    writeFileSync(path, '');
    truncateSync(path, bytesMax + 1);
    t.match(checkFile({ kind, path, isExposed: false }, VENDORS), {
      ok: false,
      mistakes: [`${path}: holds ${bytesMax + 1} bytes; at most ${bytesMax} are read`],
    });
  }
});

t.test('refuses an open key file on an address that others reach', async (t) => {
  const path = join(directory, 'open');
  writeFileSync(path, key('x'));
  chmodSync(path, 0o644);
  t.match(checkFile({ kind: 'api_keys', path, isExposed: true }, VENDORS), {
    ok: false,
    mistakes: [/its mode is 0644/],
  });
  t.equal(checkFile({ kind: 'api_keys', path, isExposed: false }, VENDORS).ok, true);
});

t.test('takes a check that was ended for a mistake in the file', async (t) => {
  const path = join(directory, '0');
  const checker = createFileChecker([]);
  const answer = checker.check({ kind: 'policy', path, isExposed: false });
  checker.close();
  t.match(await answer, { ok: false, mistakes: [`${path}: cannot be checked (EXIT)`] });
});

t.test('refuses a file when the thread cannot be started', async (t) => {
  const checker = createFileChecker(VENDORS.map(({ id }) => id));
  const path = join(directory, 'unchecked');
  // What no thread can be given stands for a system without a thread to give: both are thrown at once.
  const question: FileQuestion = Object.assign({ kind: 'policy', path, isExposed: false } as const, {
    unclonable: () => {},
  });
  const result = await checker.check(question);
  t.match(result, { ok: false, mistakes: [/unchecked: cannot be checked \(.+\)$/] });
  checker.close();
});
