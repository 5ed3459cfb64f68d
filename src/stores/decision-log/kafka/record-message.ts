import { randomUUIDv7 } from 'node:crypto';
import type { MessageRecord } from '@platformatic/kafka';
import {
  type GapRecord,
  idOf,
  type LogRecord,
  RECORD_VERSION,
} from '../../../domain/decision-log/decision-record.ts';
import { toRfc3339 } from '../../../platform/rfc3339.ts';
import type { QueuedMessage } from './partition-queue.ts';

/** A record as the thread takes it. */
export interface RecordText {
  /** The line of the log. */
  readonly text: string;
  readonly kind: LogRecord['kind'];
  readonly id: string;
  /** The hash of the account, else of the device, else of the telemetry id; null for all but decisions. */
  readonly key: string | null;
  /** When it was decided or changed, or the latest decision was lost. Unix milliseconds. */
  readonly timeMs: number;
}

const ID_HEADER = Buffer.from('id');
/** Of each kind, with the version of the schema: what a consumer has to know before it parses. */
const HEADERS = { decision: toHeaders('decision'), gap: toHeaders('gap'), event: toHeaders('event') };

/** What the thread has to know of a record. */
export function toRecordText(record: LogRecord, text: string): RecordText {
  return {
    text,
    kind: record.kind,
    id: idOf(record),
    key: keyOf(record),
    timeMs: Date.parse(timeOf(record)),
  };
}

/** The message of a record, and the gap that stands for it where no broker takes it, if there is to be one. */
export function toMessage(record: RecordText, topic: string, isReplaced: boolean): QueuedMessage {
  const { text, kind, id, key, timeMs } = record;
  const message: MessageRecord = {
    topic,
    value: Buffer.from(text),
    ...(key === null ? {} : { key: Buffer.from(key) }),
    headers: new Map([...HEADERS[kind], [ID_HEADER, Buffer.from(id)]]),
    timestamp: BigInt(timeMs),
  };
  if (!isReplaced || kind !== 'decision') return { message };
  return { message, substitute: () => toMessage(toGap(timeMs), topic, false).message };
}

function timeOf(record: LogRecord): string {
  if (record.kind === 'decision') return record.decided_at;
  return record.kind === 'gap' ? record.until : record.at;
}

function keyOf(record: LogRecord): string | null {
  if (record.kind !== 'decision') return null;
  const { account, devices, telemetry } = record.subject;
  return account ?? devices[0] ?? telemetry;
}

function toGap(timeMs: number): RecordText {
  const time = toRfc3339(timeMs);
  const gap: GapRecord = {
    version: RECORD_VERSION,
    kind: 'gap',
    gap_id: randomUUIDv7(),
    sink: 'kafka',
    from: time,
    until: time,
    dropped: 1,
  };
  return toRecordText(gap, JSON.stringify(gap));
}

function toHeaders(kind: LogRecord['kind']): readonly (readonly [Buffer, Buffer])[] {
  const headers = { schema_version: String(RECORD_VERSION), kind };
  return Object.entries(headers).map(([name, value]) => [Buffer.from(name), Buffer.from(value)]);
}
