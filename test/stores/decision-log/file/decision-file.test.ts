import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { idOf, type LogRecord } from '../../../../src/domain/decision-log/decision-record.ts';
import {
  type DecisionFileEvent,
  openDecisionFile,
} from '../../../../src/stores/decision-log/file/decision-file.ts';
import { findDecisionFileMistakes } from '../../../../src/stores/decision-log/file/decision-file-check.ts';
import { createDecisionRecord } from '../../../support/decision-records.ts';
import { createDirectory } from '../../../support/test-app.ts';

const record = (serial: number) => createDecisionRecord(0, serial);
const line = (serial: number) => `${JSON.stringify(record(serial))}\n`;

async function open(t: Test, path: string) {
  const events: DecisionFileEvent[] = [];
  const sink = await openDecisionFile({
    path,
    isSynced: true,
    onEvent: (event) => events.push(event),
  });
  t.teardown(() => sink.close());
  let number = 0;
  const append = (...serials: number[]) => {
    number += 1;
    return sink.append({ number, records: serials.map(record) });
  };
  return { sink, events, append };
}

function idsIn(path: string): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .slice(0, -1)
    .map((text) => idOf(JSON.parse(text) as LogRecord));
}

/** What a crash can leave at the end, and how much of it goes. */
const TAILS: Readonly<Record<string, string>> = {
  'half of a line': '{"version":1,"kind":"deci',
  'a line without its end': line(3).slice(0, -1),
  'a line that is no JSON': '{"version":1,"ki\n',
  'empty blocks': '\0'.repeat(5000),
  'empty blocks and a line end': `${'\0'.repeat(200_000)}\n`,
};

t.test('cuts off a torn end, and appends after what is whole', async (t) => {
  for (const [name, tail] of Object.entries(TAILS)) {
    const path = join(createDirectory(t), 'log');
    writeFileSync(path, line(1) + line(2) + tail);
    const { events, append } = await open(t, path);
    t.same(events, [{ kind: 'repaired', cut_bytes: Buffer.byteLength(tail) }], name);
    t.equal(readFileSync(path, 'utf8'), line(1) + line(2), name);
    t.equal(await append(4), true);
    t.same(
      idsIn(path),
      [1, 2, 4].map((serial) => record(serial).decision_id),
    );
  }
});

t.test('cuts off the last line and never more', async (t) => {
  const path = join(createDirectory(t), 'log');
  const broken = `${line(1)}{"a\n{"b\n`;
  writeFileSync(path, `${broken}{"c`);
  const { append } = await open(t, path);
  t.equal(readFileSync(path, 'utf8'), broken);
  t.equal(await append(2), true);
  t.equal(readFileSync(path, 'utf8'), broken + line(2), 'what follows stands on lines of its own');
});

t.test('leaves a whole file as it is, and repairs one without a whole line', async (t) => {
  const path = join(createDirectory(t), 'log');
  t.same((await open(t, path)).events, [], 'a new file');
  writeFileSync(path, line(1));
  t.same((await open(t, path)).events, []);
  t.equal(readFileSync(path, 'utf8'), line(1));
  writeFileSync(path, '{"vers');
  t.same((await open(t, path)).events, [{ kind: 'repaired', cut_bytes: 6 }]);
  t.equal(readFileSync(path, 'utf8'), '');
});

/** How people rotate, each between the opening of the file and the answer to the next batch. */
const MOVES: Readonly<Record<string, (directory: string, path: string) => void>> = {
  renamed: (_directory, path) => renameSync(path, `${path}.1`),
  'renamed, with a new one in its place': (_directory, path) => {
    renameSync(path, `${path}.1`);
    writeFileSync(path, '');
  },
  'renamed, with one in its place that begins elsewhere': (_directory, path) => {
    renameSync(path, `${path}.1`);
    writeFileSync(path, `${line(9)}{"torn`);
  },
  removed: (_directory, path) => rmSync(path),
  'replaced with its directory': (directory) => {
    renameSync(directory, `${directory}.1`);
    mkdirSync(directory);
  },
};

for (const [what, move] of Object.entries(MOVES)) {
  t.test(`answers only when a batch stands under the name, where the file was ${what}`, async (t) => {
    const directory = join(createDirectory(t), 'logs');
    mkdirSync(directory);
    const path = join(directory, 'log');
    const { events, append } = await open(t, path);
    await append(1);
    move(directory, path);
    t.equal(await append(2), true);
    t.ok(idsIn(path).includes(record(2).decision_id), 'what is answered is in the new file');
    await append(3);
    t.same(idsIn(path).slice(-2), [record(2).decision_id, record(3).decision_id]);
    t.same(events[0], { kind: 'reopened' });
  });
}

t.test('leaves what was written to the moved file there, under the same id', async (t) => {
  const path = join(createDirectory(t), 'log');
  const { append } = await open(t, path);
  await append(1);
  renameSync(path, `${path}.1`);
  await append(2);
  t.same(idsIn(`${path}.1`), [record(1).decision_id, record(2).decision_id]);
  t.same(idsIn(path), [record(2).decision_id]);
});

t.test('keeps nothing while the directory is gone, and goes on when it is back', async (t) => {
  const directory = join(createDirectory(t), 'logs');
  mkdirSync(directory);
  const path = join(directory, 'log');
  const { events, append } = await open(t, path);
  renameSync(directory, `${directory}.1`);
  t.equal(await append(1), false);
  mkdirSync(directory);
  t.equal(await append(1), true);
  t.same(events, [{ kind: 'reopened' }, { kind: 'failed', code: 'ENOENT' }, { kind: 'recovered' }]);
  t.same(idsIn(path), [record(1).decision_id]);
});

t.test('says that a file was emptied in place, and writes the batch again', async (t) => {
  const path = join(createDirectory(t), 'log');
  const { events, append } = await open(t, path);
  await append(1);
  await append(2);
  truncateSync(path, 10);
  await append(3);
  t.same(events[0], { kind: 'truncated' });
  t.same(new Set(idsIn(path)), new Set([record(3).decision_id]), 'whole lines only');
});

t.test('keeps concurrent batches in their order', async (t) => {
  const path = join(createDirectory(t), 'log');
  const { append } = await open(t, path);
  const kept = await Promise.all([append(1, 2), append(3), append(4, 5)]);
  t.same(kept, [true, true, true]);
  t.same(
    idsIn(path),
    [1, 2, 3, 4, 5].map((serial) => record(serial).decision_id),
  );
});

t.test('refuses what it cannot write, says so once, and recovers', async (t) => {
  const directory = join(createDirectory(t), 'logs');
  mkdirSync(directory);
  const path = join(directory, 'log');
  const { events, append } = await open(t, path);
  await append(1);
  // Where a directory stands under its name no file can be begun.
  renameSync(path, `${path}.1`);
  mkdirSync(path);
  t.equal(await append(2), false);
  t.equal(await append(2), false);
  renameSync(path, `${path}.directory`);
  t.equal(await append(2), true);
  t.same(
    events.filter(({ kind }) => kind !== 'reopened'),
    [{ kind: 'failed', code: 'EISDIR' }, { kind: 'recovered' }],
  );
  t.same(idsIn(path), [record(2).decision_id]);
});

t.test('takes nothing after its close', async (t) => {
  const path = join(createDirectory(t), 'log');
  const { sink, append } = await open(t, path);
  await sink.close();
  t.equal(await append(1), false);
  t.equal(readFileSync(path, 'utf8'), '');
});

t.test('finds at start what cannot be the file', async (t) => {
  const directory = createDirectory(t);
  const path = join(directory, 'log');
  t.same(findDecisionFileMistakes(path), []);
  t.ok(existsSync(path));
  chmodSync(path, 0o600);
  writeFileSync(path, line(1));
  t.same(findDecisionFileMistakes(path), []);
  writeFileSync(path, 'keys: []\n');
  t.match(findDecisionFileMistakes(path), [/is not a file of decisions$/]);
  for (const other of [
    '{',
    '{}\n',
    '{"kind":"event"}\n{"a',
    '{"a":1}',
    '{\n  "kind": "decision"\n}\n',
    '[]\n',
    '\n',
  ]) {
    writeFileSync(path, other);
    if (other === '{') t.same(findDecisionFileMistakes(path), [], 'a torn first line');
    else t.match(findDecisionFileMistakes(path), [/is not a file of decisions$/]);
    t.equal(readFileSync(path, 'utf8'), other);
  }
  for (const torn of [
    line(1).slice(0, 10),
    line(1).slice(0, 60),
    `${line(1)}{"vers`,
    '\0\0',
    '{"kind":"gap","version":1}\n',
  ]) {
    writeFileSync(path, torn);
    t.same(findDecisionFileMistakes(path), []);
  }
  t.match(findDecisionFileMistakes(directory), [/cannot be written \(EISDIR\)$/]);
  t.match(findDecisionFileMistakes(join(directory, 'none', 'log')), [/cannot be written \(ENOENT\)$/]);
});
