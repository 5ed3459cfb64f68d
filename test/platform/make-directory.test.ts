import { existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { makeDirectory } from '../../src/platform/make-directory.ts';
import { createDirectory } from '../support/test-app.ts';

t.test('makes a directory with those above it, with their rights, and takes one that is there', async (t) => {
  const root = createDirectory(t);
  makeDirectory(join(root, 'one/two/three'), 0o700);
  for (const path of ['one', 'one/two', 'one/two/three'])
    t.equal(statSync(join(root, path)).mode & 0o777, 0o700, path);
  makeDirectory(join(root, 'one/two/three'), 0o750);
  t.equal(statSync(join(root, 'one/two/three')).mode & 0o777, 0o700, 'which stays as it is');
  makeDirectory(join(root, 'four/'));
  makeDirectory('/');
  mkdirSync(join(root, 'real'));
  symlinkSync('real', join(root, 'link'));
  makeDirectory(join(root, 'link/below'));
  t.ok(existsSync(join(root, 'real/below')));
});

t.test('says why where it cannot', async (t) => {
  const root = createDirectory(t);
  writeFileSync(join(root, 'file'), '');
  symlinkSync('nowhere', join(root, 'dangling'));
  symlinkSync('loop', join(root, 'loop'));
  const failing: Readonly<Record<string, RegExp>> = {
    file: /EEXIST/,
    'file/below': /ENOTDIR/,
    dangling: /EEXIST/,
    'dangling/below': /EEXIST/,
    'loop/below': /ELOOP/,
    ['x'.repeat(300)]: /ENAMETOOLONG/,
    [`below/${'x'.repeat(300)}`]: /ENAMETOOLONG/,
  };
  for (const [path, code] of Object.entries(failing))
    t.throws(() => makeDirectory(join(root, path)), { code }, path.slice(0, 20));
  t.throws(() => makeDirectory('/dev/null/below'), { code: 'ENOTDIR' });
  if (process.platform !== 'linux') return;
  for (const path of ['/proc/x', '/proc/x/y/z', '/proc/self/x', '/proc/self/fd/x', '/sys/x', '/sys/x/y'])
    t.throws(() => makeDirectory(path), { code: /^(ENOENT|EACCES|EPERM|EROFS)$/ }, path);
});
