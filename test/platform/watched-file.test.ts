import { appendFileSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { watchForChanges } from '../../src/platform/watched-file.ts';
import { until } from '../support/test-app.ts';

const PIECES = 25;

/** A file that is watched, and its text at each change that was told. */
async function watchFile(t: Test): Promise<{ path: string; seen: string[] }> {
  const path = join(t.testdir(), 'rules');
  writeFileSync(path, 'before');
  const seen: string[] = [];
  const watch = watchForChanges(path, () => seen.push(readFileSync(path, 'utf8')));
  t.teardown(() => watch.close());
  await delay(1_100);
  return { path, seen };
}

t.test('tells of a file that is written in place once it is whole, never of a part', async (t) => {
  const { path, seen } = await watchFile(t);
  writeFileSync(path, '');
  // Longer than the watch takes to look twice.
  for (let piece = 0; piece < PIECES; piece += 1) {
    appendFileSync(path, 'x');
    await delay(100);
  }
  await until('the change is told', () => seen.length > 0);
  t.same(seen, ['x'.repeat(PIECES)]);
});

t.test('waits for what comes in the place of a file that is gone', async (t) => {
  const { path, seen } = await watchFile(t);
  rmSync(path);
  await delay(1_100);
  writeFileSync(path, 'after');
  await until('the change is told', () => seen.length > 0);
  t.same(seen, ['after']);
});
