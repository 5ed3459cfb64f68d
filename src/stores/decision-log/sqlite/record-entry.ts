import { crc32 } from 'node:zlib';
import { type DecisionRecord, idOf, type LogRecord } from '../../../domain/decision-log/decision-record.ts';
import { bucketOf } from '../../../domain/decision-log/record-counts.ts';
import { toRecordFacts } from '../../../domain/decision-log/record-facts.ts';
import { NOWHERE, placeOf, type RecordPlace } from '../../../domain/decision-log/record-place.ts';
import {
  SUBJECT_PARTS,
  type SubjectPartName,
  searchedHashesOf,
} from '../../../domain/decision-log/subject-parts.ts';
import { PART_NUMBERS, packSubject } from './entry-subjects.ts';
import { spanOf } from './stored-record.ts';

/** What one record is kept as, beside its text. */
export interface RecordEntry {
  readonly record: LogRecord;
  readonly id: Uint8Array | string;
  /** Unix milliseconds: when it was decided or happened, or when the records of a gap began to be lost. */
  readonly atMs: number;
  /** The same, or when the last record of a gap was lost. */
  readonly endMs: number;
  /** The text of the record's facts; null for a gap or an event. */
  readonly shape: string | null;
  readonly place: RecordPlace;
  readonly action: string | null;
  /** The hashes of its subject; see packSubject. */
  readonly subject: Uint8Array | string | null;
  /** What its subject is found by; see toSubjectKey. */
  readonly subjects: readonly number[];
  readonly latencies: readonly (readonly [series: string, bucket: number])[];
}

const OF_NO_DECISION = {
  shape: null,
  place: NOWHERE,
  action: null,
  subject: null,
  subjects: [],
  latencies: [],
} as const;
const HEX_UUID = /^[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}$/;
const HEX_HASH = /^[\da-f]{32}$/;
/** Digits of a hash that are looked at for its key; the last bits give way to the number of the part. */
const KEY_DIGITS = 8;
const PART_BITS = 7;
const EARLIER_HASH_BYTES = 6;
const DECISION_SERIES = 'decision';

/** Reads the text of a record as sinks write it. */
export function toEntry(text: string): RecordEntry {
  return toEntryOf(JSON.parse(text) as LogRecord, null);
}

/** The texts of the shapes of frames: all records of a frame have one shape. */
const shapes = new WeakMap<DecisionRecord, string>();

/** The entry of a record, and of the frame that it has; see createRecordUnpacker. */
export function toEntryOf(record: LogRecord, frame: DecisionRecord | null): RecordEntry {
  const id = toIdKey(idOf(record));
  const [atMs, endMs] = spanOf(record);
  if (record.kind !== 'decision') return { record, id, atMs, endMs, ...OF_NO_DECISION };
  const subjects = SUBJECT_PARTS.flatMap((part) =>
    [...new Set(searchedHashesOf(record.subject, part))].map((hash) => toSubjectKey(part, hash)),
  );
  const latencies: [string, number][] = [[DECISION_SERIES, bucketOf(record.latency_ms)]];
  // Cached evidence says nothing about the provider's latency.
  for (const [provider, { cache, latency_ms }] of Object.entries(record.providers))
    if (cache === 'miss') latencies.push([provider, bucketOf(latency_ms)]);
  const shape = (frame === null ? undefined : shapes.get(frame)) ?? JSON.stringify(toRecordFacts(record));
  if (frame !== null) shapes.set(frame, shape);
  return {
    record,
    id,
    atMs,
    endMs,
    shape,
    place: placeOf(record),
    action: record.action,
    subject: packSubject(record.subject),
    subjects,
    latencies,
  };
}

/** How an id is kept: a UUID as its 16 bytes, anything else as it is. */
export function toIdKey(id: string): Uint8Array | string {
  return HEX_UUID.test(id) ? Buffer.from(id.replaceAll('-', ''), 'hex') : id;
}

/** The id that a key stands for. */
export function fromIdKey(key: unknown): string {
  if (!(key instanceof Uint8Array)) return String(key);
  const hex = Buffer.from(key.buffer, key.byteOffset, key.byteLength).toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/**
 * What a hash is found by, as a part of a subject: a number of 32 bits, 29 of which are its first ones. Different
 * hashes can have the same; what is found is compared in full.
 */
export function toSubjectKey(part: SubjectPartName, hash: string): number {
  const bits = HEX_HASH.test(hash) ? Number.parseInt(hash.slice(0, KEY_DIGITS), 16) : crc32(hash);
  return (bits & ~PART_BITS) | PART_NUMBERS[part];
}

/** The same in a file of version 5 or 6, beside the part: the first bytes of a hash. */
export function toEarlierHashKey(hash: string): Uint8Array | string {
  return HEX_HASH.test(hash) ? Buffer.from(hash.slice(0, 2 * EARLIER_HASH_BYTES), 'hex') : hash;
}

/** What a hash is found by, of what it was found by in a file of version 5 or 6. */
export function fromEarlierHashKey(part: number, key: unknown): number {
  const bits =
    key instanceof Uint8Array
      ? Buffer.from(key.subarray(0, KEY_DIGITS / 2)).readInt32BE()
      : crc32(String(key));
  return (bits & ~PART_BITS) | part;
}
