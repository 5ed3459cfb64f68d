import { spawnSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readTextFile } from '../../src/platform/read-text-file.ts';

function pathIn(t: Test): string {
  return join(t.testdir(), 'file');
}

t.test('reads text as it is', async (t) => {
  const path = pathIn(t);
  for (const text of ['', 'a: ü\r\n日本\n', '\ufeffa: b', 'x'.repeat(100)]) {
    writeFileSync(path, text);
    t.same(readTextFile(path, 100), { ok: true, value: text });
  }
});

t.test('refuses a file that is larger than the bound, without reading it', async (t) => {
  const path = pathIn(t);
  writeFileSync(path, 'x'.repeat(101));
  t.same(readTextFile(path, 100), {
    ok: false,
    mistakes: [`${path}: holds 101 bytes; at most 100 are read`],
  });
  // More than this machine can hold, and all of it a hole.
  truncateSync(path, 2 ** 43);
  t.match(readTextFile(path, 100), { ok: false, mistakes: [/holds 8796093022208 bytes/] });
});

t.test('refuses what is no file, without waiting for it', async (t) => {
  const path = pathIn(t);
  t.equal(spawnSync('mkfifo', [path]).status, 0);
  t.match(readTextFile(path, 100), { ok: false, mistakes: [/is not a regular file/] });
  t.match(readTextFile('/dev/zero', 100), { ok: false, mistakes: [/is not a regular file/] });
  mkdirSync(`${path}.d`);
  t.match(readTextFile(`${path}.d`, 100), { ok: false, mistakes: [/is not a regular file/] });
  t.match(readTextFile(`${path}.none`, 100), { ok: false, mistakes: [/cannot be read \(ENOENT\)/] });
});

t.test('refuses bytes that are no UTF-8: two files would be one text', async (t) => {
  const path = pathIn(t);
  for (const bytes of [[0xff], [0x61, 0xc3], [0xed, 0xa0, 0x80], [0xff, 0xfe, 0x61, 0x00]]) {
    writeFileSync(path, new Uint8Array(bytes));
    t.match(readTextFile(path, 100), { ok: false, mistakes: [/is not UTF-8/] });
  }
});
