import {
  appendFileSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { lookAt, watchForChanges } from '../../src/platform/watched-file.ts';
import { until } from '../support/test-app.ts';

const PIECES = 25;
const GONE = 'gone';

interface Watched {
  readonly directory: string;
  readonly path: string;
  /** The file's text at each change that was told. */
  readonly seen: string[];
}

/** A file that is watched from now on. `prepare` makes it, in an empty directory. */
async function watchFile(
  t: Test,
  prepare: (path: string) => void = (path) => writeFileSync(path, 'before'),
): Promise<Watched> {
  const directory = t.testdir();
  const path = join(directory, 'rules');
  prepare(path);
  const seen: string[] = [];
  const watch = watchForChanges(path, lookAt(path), () => {
    seen.push(lookAt(path).startsWith('gone') ? GONE : readFileSync(path, 'utf8'));
  });
  t.teardown(() => watch.close());
  // The kernel's clock for changes of files takes steps of some milliseconds.
  await delay(50);
  return { directory, path, seen };
}

async function untilTold({ seen }: Watched): Promise<void> {
  await until('the change is told', () => seen.length > 0);
}

/** As image-based systems deliver files. */
function writeAtEpoch(path: string, text: string): void {
  writeFileSync(path, text);
  utimesSync(path, 0, 0);
}

t.test('tells of a file that is written in place once it is whole, never of a part', async (t) => {
  const watched = await watchFile(t);
  writeFileSync(watched.path, '');
  // Longer than the watch takes to look twice.
  for (let piece = 0; piece < PIECES; piece += 1) {
    appendFileSync(watched.path, 'x');
    await delay(100);
  }
  await untilTold(watched);
  t.same(watched.seen, ['x'.repeat(PIECES)]);
});

t.test('waits for what comes in the place of a file that is gone', async (t) => {
  const watched = await watchFile(t);
  rmSync(watched.path);
  await delay(1_100);
  writeFileSync(watched.path, 'after');
  await untilTold(watched);
  t.same(watched.seen, ['after']);
});

t.test('tells of a file that is gone for good, and of its return', async (t) => {
  const watched = await watchFile(t);
  const aside = join(watched.directory, 'aside');
  renameSync(watched.path, aside);
  await untilTold(watched);
  renameSync(aside, watched.path);
  await until('the return is told', () => watched.seen.length > 1);
  t.same(watched.seen, [GONE, 'before']);
});

t.test('tells of a file whose time is 0', async (t) => {
  const watched = await watchFile(t);
  writeAtEpoch(watched.path, 'after!');
  await untilTold(watched);
  t.same(watched.seen, ['after!']);
});

t.test('tells of another file of the same size and time', async (t) => {
  const watched = await watchFile(t, (path) => writeAtEpoch(path, 'before'));
  const next = join(watched.directory, 'next');
  writeAtEpoch(next, 'after!');
  renameSync(next, watched.path);
  await untilTold(watched);
  t.same(watched.seen, ['after!']);
});

t.test('tells of a file that is written in place and given its old time', async (t) => {
  const watched = await watchFile(t, (path) => writeAtEpoch(path, 'before'));
  writeAtEpoch(watched.path, 'after!');
  await untilTold(watched);
  t.same(watched.seen, ['after!']);
});

t.test('follows symbolic links that are swapped, as Kubernetes swaps those of a ConfigMap', async (t) => {
  const publish = (directory: string, version: string, text: string) => {
    mkdirSync(join(directory, version));
    writeAtEpoch(join(directory, version, 'rules'), text);
    symlinkSync(version, join(directory, 'data.new'));
    renameSync(join(directory, 'data.new'), join(directory, '..data'));
  };
  const watched = await watchFile(t, (path) => {
    publish(join(path, '..'), 'v1', 'before');
    symlinkSync(join('..data', 'rules'), path);
  });
  publish(watched.directory, 'v2', 'after!');
  rmSync(join(watched.directory, 'v1'), { recursive: true });
  await untilTold(watched);
  t.same(watched.seen, ['after!']);
});

t.test('tells of a change that came before the watch', async (t) => {
  const path = join(t.testdir(), 'rules');
  writeFileSync(path, 'before');
  const look = lookAt(path);
  writeFileSync(path, 'after');
  let told = 0;
  const watch = watchForChanges(path, look, () => {
    told += 1;
  });
  t.teardown(() => watch.close());
  await until('the change is told', () => told > 0);
  t.equal(told, 1);
});

t.test('does not tell of the next change before the last one has been dealt with', async (t) => {
  const path = join(t.testdir(), 'rules');
  writeFileSync(path, 'before');
  const { promise: isDone, resolve: finish } = Promise.withResolvers<void>();
  let told = 0;
  const watch = watchForChanges(path, 'something else', async () => {
    told += 1;
    if (told > 1) return;
    writeFileSync(path, 'meanwhile');
    await isDone;
  });
  t.teardown(() => watch.close());
  await until('the first is told', () => told === 1);
  await delay(1_600);
  t.equal(told, 1);
  finish();
  await until('the second is told', () => told === 2);
});

t.test('goes on watching when who is told of a change fails', async (t) => {
  const path = join(t.testdir(), 'rules');
  writeFileSync(path, 'before');
  let told = 0;
  const watch = watchForChanges(path, lookAt(path), async () => {
    told += 1;
    throw new Error('not taken');
  });
  t.teardown(() => watch.close());
  writeFileSync(path, 'first');
  await until('the first change is told', () => told === 1);
  writeFileSync(path, 'the second');
  await until('the second change is told', () => told === 2);
});
