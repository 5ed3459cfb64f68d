import { hash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { HistoryReader } from '../../src/stores/decision-log/sqlite/history-reader.ts';
import { HistoryWriter } from '../../src/stores/decision-log/sqlite/history-writer.ts';
import { keepPolicyText } from '../../src/stores/decision-log/sqlite/policy-file.ts';
import { createHistory, type HistoryPlan } from './records.ts';

/** What filling a history took. */
export interface FillReport {
  readonly records: number;
  readonly seconds: number;
  /** CPU of the writing alone. */
  readonly microsPerRecord: number;
  readonly bytesPerRecord: number;
}

/** As many as a busy service appends together. */
const BATCH = 512;
/** One in so many decisions is labelled. */
const LABELLED_SHARE = 50;
const YEARS_MS = 10 * 365 * 86_400_000;

/** Fills a directory by the code that the service writes with. */
export function fillHistory(directory: string, plan: HistoryPlan): FillReport {
  const writer = new HistoryWriter({
    directory,
    isSynced: false,
    retentionMs: YEARS_MS,
    labelledKeptMs: 0,
    bytesMax: Number.MAX_SAFE_INTEGER,
  });
  const policies = keepPolicies(directory);
  const startedMs = Date.now();
  let [number, micros] = [0, 0];
  let batch: string[] = [];
  let lastMs = 0;
  const flush = () => {
    number += 1;
    const before = process.cpuUsage();
    writer.append({ writer: 'bench', number, texts: batch }, lastMs);
    const { user, system } = process.cpuUsage(before);
    micros += user + system;
    batch = [];
  };
  const labelled: string[] = [];
  let serial = 0;
  for (const record of createHistory({ ...plan, policies })) {
    lastMs = Date.parse(record.decided_at);
    batch.push(JSON.stringify(record));
    if (batch.length === BATCH) flush();
    serial += 1;
    if (serial % LABELLED_SHARE === 0) labelled.push(record.decision_id);
  }
  if (batch.length > 0) flush();
  const seconds = (Date.now() - startedMs) / 1000;
  labelAll(writer, labelled);
  writer.close();
  summarise(directory);
  const bytesPerRecord = sizeOf(directory) / plan.records;
  return { records: plan.records, seconds, microsPerRecord: micros / plan.records, bytesPerRecord };
}

/** The default policy in three texts of one meaning: their hashes. */
function keepPolicies(directory: string): readonly string[] {
  const text = readFileSync(new URL('../../policies/default.yaml', import.meta.url), 'utf8');
  return ['first', 'second', 'third'].map((period) => {
    const own = `# The ${period} period.\n${text}`;
    const name = `sha256:${hash('sha256', own)}`;
    keepPolicyText(directory, name, own);
    return name;
  });
}

/** A label opens its file: some of them show the same as all. */
function labelAll(writer: HistoryWriter, ids: readonly string[]): void {
  const step = Math.max(1, Math.floor(ids.length / 2_000));
  for (let place = 0; place < ids.length; place += step) {
    const label = place % 3 === 0 ? 'fraud' : 'legit';
    const at = new Date(0).toISOString();
    writer.label(ids[place] ?? '', { label, at, note: null, caller: 'bench' }, true);
  }
}

/** As a service does within a minute of each day that is over. */
export function summarise(directory: string): void {
  const reader = new HistoryReader(directory);
  while (reader.summarise());
  reader.close();
}

function sizeOf(directory: string): number {
  return readdirSync(directory).reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
}
