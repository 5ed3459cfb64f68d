import { idOf, type LogRecord } from '../../../domain/decision-log/decision-record.ts';
import { bucketOf } from '../../../domain/decision-log/record-counts.ts';
import { toRecordFacts } from '../../../domain/decision-log/record-facts.ts';

/** The parts of a subject whose hashes can be looked for, by the number that stands for each. */
export const SUBJECT_PARTS = { telemetry: 1, device: 2, account: 3 } as const;
type SubjectPartNumber = (typeof SUBJECT_PARTS)[keyof typeof SUBJECT_PARTS];

/** What one record is kept as, beside its text. */
export interface RecordEntry {
  readonly text: string;
  readonly id: Uint8Array | string;
  /** Unix milliseconds: when it was decided or happened, or when the records of a gap began to be lost. */
  readonly atMs: number;
  /** The same, or when the last record of a gap was lost. */
  readonly endMs: number;
  /** The text of the record's facts; null for a gap or an event. */
  readonly shape: string | null;
  readonly subjects: readonly (readonly [part: SubjectPartNumber, hash: Uint8Array | string])[];
  readonly latencies: readonly (readonly [series: string, bucket: number])[];
}

const HEX_UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;
const HEX_HASH = /^[\da-f]{32}$/;
/** Bytes of a hash that are kept for the search; what is found is compared in full. */
const HASH_BYTES = 8;
const DECISION_SERIES = 'decision';

/** Reads the text of a record as sinks write it. */
export function toEntry(text: string): RecordEntry {
  const record = JSON.parse(text) as LogRecord;
  const id = toIdKey(idOf(record));
  if (record.kind === 'gap') {
    const [atMs, endMs] = [Date.parse(record.from), Date.parse(record.until)];
    return { text, id, atMs, endMs, shape: null, subjects: [], latencies: [] };
  }
  if (record.kind === 'event') {
    const atMs = Date.parse(record.at);
    return { text, id, atMs, endMs: atMs, shape: null, subjects: [], latencies: [] };
  }
  const { telemetry, devices, account } = record.subject;
  const subjects: [SubjectPartNumber, Uint8Array | string][] = [];
  if (telemetry !== null) subjects.push([SUBJECT_PARTS.telemetry, toHashKey(telemetry)]);
  for (const device of new Set(devices)) subjects.push([SUBJECT_PARTS.device, toHashKey(device)]);
  if (account !== null) subjects.push([SUBJECT_PARTS.account, toHashKey(account)]);
  const latencies: [string, number][] = [[DECISION_SERIES, bucketOf(record.latency_ms)]];
  // Cached evidence says nothing about the provider's latency.
  for (const [provider, { cache, latency_ms }] of Object.entries(record.providers))
    if (cache === 'miss') latencies.push([provider, bucketOf(latency_ms)]);
  const shape = JSON.stringify(toRecordFacts(record));
  const atMs = Date.parse(record.decided_at);
  return { text, id, atMs, endMs: atMs, shape, subjects, latencies };
}

/** How an id is kept: a UUID as its 16 bytes, anything else as it is. */
export function toIdKey(id: string): Uint8Array | string {
  return HEX_UUID.test(id) ? Buffer.from(id.replaceAll('-', ''), 'hex') : id;
}

/** How a hash is kept for the search. Different hashes can have the same key. */
export function toHashKey(hash: string): Uint8Array | string {
  return HEX_HASH.test(hash) ? Buffer.from(hash.slice(0, 2 * HASH_BYTES), 'hex') : hash;
}
