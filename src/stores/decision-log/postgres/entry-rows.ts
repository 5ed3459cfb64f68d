import { hash } from 'node:crypto';
import { PERIOD_MS } from '../../../application/decision-log/decision-log.ts';
import { type DecisionRecord, idOf, type LogRecord } from '../../../domain/decision-log/decision-record.ts';
import { bucketOf } from '../../../domain/decision-log/record-counts.ts';
import { placeOf } from '../../../domain/decision-log/record-place.ts';
import type { ShapeId } from './shape-ids.ts';

/** The shape of gaps. Those of decisions are greater. */
export const GAP_SHAPE = 0;
/** The shape of events. */
export const EVENT_SHAPE = -1;

const UUID = /^[\da-f]{32}$|^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
const DECISION_SERIES = 'decision';

/** How an id or a hash is kept for the search: one that is no UUID as a hash of it. */
export function toUuid(text: string): string {
  return UUID.test(text) ? text : hash('md5', text);
}

/** How a text of a caller is kept for the search: the server takes no NUL, and no lone surrogates. */
export function toPlainText(text: string): string {
  return text.replaceAll('\0', '\ufffd').toWellFormed();
}

/** What turns a batch into the arguments of `append_batch` that hold it. */
interface BatchEncoder {
  readonly textOf: (record: LogRecord) => string;
  readonly shapeOf: (record: DecisionRecord) => ShapeId;
}

/** The arguments from `ids` to `bodies`, those from `count_starts` on, and the last one. */
export interface EncodedBatch {
  readonly rows: readonly (string | Buffer)[];
  readonly counts: readonly string[];
  readonly asnNames: Buffer;
}

/** Encodes the records of a batch, each column as one array. */
export function encodeBatch(records: readonly LogRecord[], { textOf, shapeOf }: BatchEncoder): EncodedBatch {
  const columns = new Columns();
  const counts = new BatchCounts();
  for (const record of records) {
    if (record.kind === 'gap') {
      const span = [Date.parse(record.from), Date.parse(record.until)] as const;
      columns.addOther(GAP_SHAPE, idOf(record), span, textOf(record));
      continue;
    }
    if (record.kind === 'event') {
      const atMs = Date.parse(record.at);
      columns.addOther(EVENT_SHAPE, idOf(record), [atMs, atMs], textOf(record));
      continue;
    }
    const atMs = Date.parse(record.decided_at);
    const shape = shapeOf(record);
    columns.addDecision(record, atMs, shape, textOf(record));
    counts.add(record, atMs, shape);
  }
  return { rows: columns.read(), counts: counts.read(), asnNames: columns.readNames() };
}

class Columns {
  readonly #ids: string[] = [];
  readonly #ats: number[] = [];
  readonly #ends: (number | null)[] = [];
  readonly #shapes: ShapeId[] = [];
  readonly #asns: (number | null)[] = [];
  readonly #buckets: (number | null)[] = [];
  readonly #telemetries: (string | null)[] = [];
  readonly #devices: (string | null)[] = [];
  readonly #accounts: (string | null)[] = [];
  readonly #ips: (string | null)[] = [];
  readonly #networks: (string | null)[] = [];
  readonly #visitors: (string | null)[] = [];
  readonly #moreDevices: (string | null)[] = [];
  readonly #countries: (string | null)[] = [];
  readonly #actions: (string | null)[] = [];
  readonly #asnNames: (string | null)[] = [];
  readonly #bodies: string[] = [];

  addOther(shape: ShapeId, id: string, [atMs, endMs]: readonly [number, number], body: string): void {
    this.#ids.push(toUuid(id));
    this.#ats.push(atMs);
    this.#ends.push(endMs);
    this.#shapes.push(shape);
    for (const column of [this.#asns, this.#buckets]) column.push(null);
    for (const column of [this.#telemetries, this.#devices, this.#accounts, this.#ips]) column.push(null);
    for (const column of [this.#networks, this.#visitors, this.#moreDevices]) column.push(null);
    for (const column of [this.#countries, this.#actions, this.#asnNames]) column.push(null);
    this.#bodies.push(body);
  }

  addDecision(record: DecisionRecord, atMs: number, shape: ShapeId, body: string): void {
    const { subject } = record;
    const [device = null, ...others] = subject.devices;
    const { country, asn, asnName } = placeOf(record);
    this.#ids.push(toUuid(record.decision_id));
    this.#ats.push(atMs);
    this.#ends.push(null);
    this.#shapes.push(shape);
    this.#asns.push(asn);
    this.#buckets.push(bucketOf(record.latency_ms));
    this.#telemetries.push(toUuidOrNull(subject.telemetry));
    this.#devices.push(toUuidOrNull(device));
    this.#accounts.push(toUuidOrNull(subject.account));
    this.#ips.push(toUuidOrNull(subject.ip));
    // Found by the address already.
    this.#networks.push(toUuidOrNull(subject.network === subject.ip ? null : subject.network));
    this.#visitors.push(toUuidOrNull(subject.visitor));
    this.#moreDevices.push(others.length === 0 ? null : toArray(others.map(toUuid)));
    this.#countries.push(toPlainTextOrNull(country));
    this.#asnNames.push(toPlainTextOrNull(asnName));
    this.#actions.push(toPlainTextOrNull(record.action));
    this.#bodies.push(body);
  }

  /** What came to the parameters later. */
  readNames(): Buffer {
    return toTextArray(this.#asnNames);
  }

  /** In the order of the parameters of `append_batch`. */
  read(): (string | Buffer)[] {
    const uuids = [
      this.#telemetries,
      this.#devices,
      this.#accounts,
      this.#ips,
      this.#networks,
      this.#visitors,
    ];
    return [
      ...[this.#ids, this.#ats, this.#ends, this.#shapes, this.#asns, this.#buckets].map(toArray),
      ...uuids.map(toArray),
      ...[this.#moreDevices, this.#countries, this.#actions, this.#bodies].map(toTextArray),
    ];
  }
}

function toUuidOrNull(hash: string | null | undefined): string | null {
  return hash == null ? null : toUuid(hash);
}

function toPlainTextOrNull(text: string | null): string | null {
  return text === null ? null : toPlainText(text);
}

/** A literal array of values that need no quotes. */
function toArray(values: readonly (string | number | null)[]): string {
  let text = '{';
  for (let place = 0; place < values.length; place += 1)
    text += `${place === 0 ? '' : ','}${values[place] ?? 'NULL'}`;
  return `${text}}`;
}

const TEXT_OID = 25;
const HEAD_BYTES = 20;
const LENGTH_BYTES = 4;
/** Of UTF-8 for each unit of a string. */
const CHAR_BYTES_MAX = 3;

/** An array of texts as the server sends one itself, so that nothing in them has to be escaped. */
export function toTextArray(values: readonly (string | null)[]): Buffer {
  let size = HEAD_BYTES;
  for (const value of values) size += LENGTH_BYTES + CHAR_BYTES_MAX * (value?.length ?? 0);
  const bytes = Buffer.allocUnsafe(size);
  // Dimensions, whether a value is null, the type of the values, how many, and the number of the first.
  bytes.writeInt32BE(values.length === 0 ? 0 : 1, 0);
  bytes.writeInt32BE(1, 4);
  bytes.writeInt32BE(TEXT_OID, 8);
  if (values.length === 0) return bytes.subarray(0, 12);
  bytes.writeInt32BE(values.length, 12);
  bytes.writeInt32BE(1, 16);
  let end = HEAD_BYTES;
  for (const value of values) {
    const length = value === null ? -1 : bytes.write(value, end + LENGTH_BYTES);
    bytes.writeInt32BE(length, end);
    end += LENGTH_BYTES + Math.max(length, 0);
  }
  return bytes.subarray(0, end);
}

/** The counts of one batch, so that each row is written once. */
class BatchCounts {
  readonly #shapes = new Map<string, number>();
  readonly #latencies = new Map<string, number>();

  add({ latency_ms: latencyMs, providers }: DecisionRecord, atMs: number, shape: ShapeId): void {
    const start = atMs - (atMs % PERIOD_MS.minute);
    raise(this.#shapes, `${start} ${shape}`);
    raise(this.#latencies, `${start} ${bucketOf(latencyMs)} ${DECISION_SERIES}`);
    for (const provider in providers) {
      const use = providers[provider];
      // Cached evidence says nothing about the provider's latency.
      if (use?.cache === 'miss') raise(this.#latencies, `${start} ${bucketOf(use.latency_ms)} ${provider}`);
    }
  }

  /** In the order of the parameters of `append_batch`. */
  read(): string[] {
    const shapes = [...this.#shapes].map(([key, count]) => [...key.split(' '), String(count)]);
    const latencies = [...this.#latencies].map(([key, count]) => [...key.split(' '), String(count)]);
    const column = (rows: readonly (readonly string[])[], place: number) =>
      toArray(rows.map((row) => row[place] ?? null));
    return [
      ...[0, 1, 2].map((place) => column(shapes, place)),
      ...[0, 2, 1, 3].map((place) => column(latencies, place)),
    ];
  }
}

function raise(counts: Map<string, number>, key: string): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}
