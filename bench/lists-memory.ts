import { spawnSync } from 'node:child_process';
import { hash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { ListEntry } from '../src/domain/lists/list-entry.ts';
import { ListTable } from '../src/domain/lists/list-table.ts';
import { hashWords, type Words } from '../src/domain/lists/value-words.ts';
import { openFileListStore } from '../src/stores/lists/file-store.ts';

const KEY_ID = 'aaaa1111';
const PARTS = ['device', 'account', 'telemetry', 'visitor'] as const;
const TOGETHER = 1_000;
const LOOK_UPS = 200_000;
const ROUNDS = 5;

/** Half of the values have entries. */
function valueAt(serial: number): string {
  return hash('sha256', String(serial)).slice(0, 32);
}

function toEntry(serial: number): ListEntry {
  return {
    list: 'blocked',
    part: PARTS[serial % PARTS.length] ?? 'device',
    value: valueAt(serial),
    keyId: KEY_ID,
    others: null,
    addedAtMs: 1_700_000_000_000 + serial,
    addedBy: 'bench',
    expiresAtMs: null,
    note: `ticket ${serial}`,
    isRemoved: false,
  };
}

function openStore(path: string) {
  return openFileListStore({ path, table: new ListTable(new Set([KEY_ID])), onEvent: () => {} });
}

async function write(path: string, entries: number): Promise<void> {
  const store = await openStore(path);
  for (let from = 0; from < entries; from += TOGETHER)
    await store.commit(Array.from({ length: TOGETHER }, (_, place) => toEntry(from + place)));
  await store.close();
}

/** Reads the entries as a start does, and tells what that costs this process. */
async function measure(path: string, entries: number): Promise<void> {
  const before = process.memoryUsage();
  const store = await openStore(path);
  const after = process.memoryUsage();
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
  console.log(
    `${store.table.size} entries: ${megabytes(after.arrayBuffers - before.arrayBuffers)} MB of columns, ` +
      `${megabytes(after.rss - before.rss)} MB more in the process (${megabytes(after.rss)} MB)`,
  );
  const words = Array.from({ length: LOOK_UPS }, (_, serial) =>
    hashWords(valueAt(entries - LOOK_UPS / 2 + serial)),
  );
  for (let round = 0; round < ROUNDS; round += 1) {
    const { user, system } = process.cpuUsage();
    let found = 0;
    for (const each of words) found += store.table.find('device', each as Words, 1).length;
    const spent = process.cpuUsage();
    const micros = (spent.user + spent.system - user - system) / LOOK_UPS;
    console.log(`a look-up: ${micros.toFixed(2)} µs of CPU (${found} found)`);
  }
  await store.close();
}

const { values } = parseArgs({
  options: { entries: { type: 'string', default: '1000000' }, write: { type: 'string' } },
});
const entries = Number(values.entries);
if (values.write !== undefined) await write(values.write, entries);
else {
  const directory = mkdtempSync(join(tmpdir(), 'riskgate-lists-'));
  try {
    const path = join(directory, 'lists.journal');
    // What writing leaves behind is not to be measured.
    const script = import.meta.filename;
    spawnSync(process.execPath, [script, `--entries=${entries}`, `--write=${path}`], { stdio: 'inherit' });
    await measure(path, entries);
  } finally {
    rmSync(directory, { recursive: true });
  }
}
