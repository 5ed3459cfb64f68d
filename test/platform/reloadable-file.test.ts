import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { readTextFile } from '../../src/platform/read-text-file.ts';
import { followFile } from '../../src/platform/reloadable-file.ts';
import type { Result } from '../../src/platform/result.ts';
import { fillVolume } from '../support/kubelet-volume.ts';
import { until } from '../support/test-app.ts';

/** A file of text that is refused while it begins with `bad`. */
function follow(t: Test, text: string) {
  const path = join(t.testdir(), 'file');
  writeFileSync(path, text);
  return { path, ...followText(t, path) };
}

function followText(t: Test, path: string) {
  const told: string[] = [];
  let now = 1_000;
  const load = (): Result<string> => {
    const read = readTextFile(path, 100);
    return read.ok && read.value.startsWith('bad') ? { ok: false, mistakes: ['is bad'] } : read;
  };
  const file = followFile<string>({
    path,
    loadFirst: load,
    load: async () => load(),
    onReload: (value) => told.push(`reloaded ${value}`),
    onRefused: (mistakes) => told.push(`refused ${mistakes.join()}`),
    nowMs: () => now++,
  });
  t.teardown(() => file.close());
  return { file, told };
}

t.test(
  'keeps the last good value, and says that the file differs and since when it is in force',
  async (t) => {
    const { path, file, told } = follow(t, 'one');
    t.same(
      [file.current(), file.status()],
      ['one', { isCurrent: true, loadedAtMs: 1_000, refusedAtMs: null }],
    );
    writeFileSync(path, 'bad');
    await until('it is refused', () => told.length === 1);
    t.same(
      [file.current(), file.status()],
      ['one', { isCurrent: false, loadedAtMs: 1_000, refusedAtMs: 1_001 }],
    );
    writeFileSync(path, 'two');
    await until('it is reloaded', () => told.length === 2);
    t.same(
      [file.current(), file.status()],
      ['two', { isCurrent: true, loadedAtMs: 1_002, refusedAtMs: null }],
    );
    t.same(told, ['refused is bad', 'reloaded two']);
  },
);

t.test('does not begin with a file that is refused', async (t) => {
  t.throws(() => follow(t, 'bad'), /is bad/);
});

t.test('keeps the last good value when loading fails, and goes on', async (t) => {
  const path = join(t.testdir(), 'file');
  writeFileSync(path, 'one');
  const told: string[] = [];
  const file = followFile<string>({
    path,
    loadFirst: () => readTextFile(path, 100),
    load: async () => {
      const read = readTextFile(path, 100);
      if (read.ok && read.value === 'fails') throw Object.assign(new Error('secret'), { code: 'EAGAIN' });
      return read;
    },
    onReload: (value) => told.push(`reloaded ${value}`),
    onRefused: (mistakes) => told.push(`refused ${mistakes.join()}`),
    nowMs: () => 0,
  });
  t.teardown(() => file.close());
  writeFileSync(path, 'fails');
  await until('it is refused', () => told.length === 1);
  t.same([file.current(), file.status().isCurrent], ['one', false]);
  writeFileSync(path, 'two');
  await until('it is reloaded', () => told.length === 2);
  t.same(told, [`refused ${path}: cannot be loaded (EAGAIN)`, 'reloaded two']);
});

t.test('follows a ConfigMap that the kubelet replaces by its link ..data', async (t) => {
  const folder = join(t.testdir(), 'config');
  // Of the same length, since a size must not be what tells.
  const change = fillVolume(folder, { 'policy.yaml': 'one', other: 'x' });
  const { file, told } = followText(t, join(folder, 'policy.yaml'));
  change({ 'policy.yaml': 'two', other: 'x' });
  await until('it is reloaded', () => told.length === 1);
  t.same([file.current(), file.status().isCurrent], ['two', true]);
  change({ 'policy.yaml': 'bad', other: 'x' });
  await until('it is refused', () => told.length === 2);
  t.same([file.current(), file.status().isCurrent], ['two', false]);
  change({ other: 'x' });
  await until('it is gone', () => told.length === 3);
  change({ 'policy.yaml': 'ten', other: 'x' });
  await until('it is back', () => told.length === 4);
  t.same([file.current(), told.at(-1)], ['ten', 'reloaded ten']);
});
