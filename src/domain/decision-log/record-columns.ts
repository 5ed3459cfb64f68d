import type { z } from 'zod';
import { telemetrySignalsSchema } from '../policy/telemetry-signals.ts';
import type { DecisionRecord, EventRecord, EvidenceRecord, GapRecord, LogRecord } from './decision-record.ts';
import { type OutcomeLabel, saidInForce } from './outcome-label.ts';
import { recordedRequestSchema } from './recorded-request.ts';
import {
  type ColumnType,
  type ColumnValue,
  columnsOf,
  leftOver,
  type SignalTree,
  signalTreeOf,
  toColumnValue,
  valueAt,
} from './signal-columns.ts';

/** A record and its labels, the latest last. */
export interface LabelledRecord {
  readonly record: LogRecord;
  readonly labels: readonly OutcomeLabel[];
}

/** A typed column of a table of records. */
interface RecordColumn {
  readonly name: string;
  readonly type: ColumnType;
  readonly read: (line: LabelledRecord) => ColumnValue;
}

/** The part of a provider's definition that columns depend on. */
interface SignalDeclaration {
  readonly id: string;
  readonly signals: z.ZodObject;
}

type Read<Row> = (row: Row) => unknown;

/**
 * The columns of records, in order. What is a part of a field is named by its path; `other` is the JSON text
 * of what no column holds. Throws where two columns have one name.
 */
export function recordColumns(providers: readonly SignalDeclaration[]): readonly RecordColumn[] {
  const trees = new Map(providers.map(({ id, signals }) => [id, signalTreeOf(signals)]));
  const columns = [
    ...DECISION_COLUMNS,
    ...REQUEST_COLUMNS,
    ...[...trees].flatMap(([id, tree]) => providerColumns(id, tree)),
    ...CUSTODY_COLUMNS,
    ...FACT_COLUMNS,
    ...RULE_COLUMNS,
    ...LABEL_COLUMNS,
    ...GAP_COLUMNS,
    ...EVENT_COLUMNS,
    ofDecision('other', 'string', (record) => toTextOrNull(otherOf(record, trees))),
  ];
  const names = columns.map(({ name }) => name);
  const twice = names.find((name, place) => names.indexOf(name) !== place);
  if (twice !== undefined) throw new Error(`Two columns have the name "${twice}".`);
  return columns;
}

function column(name: string, type: ColumnType, read: Read<LabelledRecord>): RecordColumn {
  return { name, type, read: (line) => toColumnValue(type, read(line)) };
}

function ofDecision(name: string, type: ColumnType, read: Read<DecisionRecord>): RecordColumn {
  return column(name, type, ({ record }) => (record.kind === 'decision' ? read(record) : null));
}

function fields(type: ColumnType, ...names: (keyof DecisionRecord)[]): RecordColumn[] {
  return names.map((name) => ofDecision(name, type, (record) => record[name]));
}

function codesOf(reasons: readonly { readonly code: string }[]): readonly string[] {
  return reasons.map(({ code }) => code);
}

const DECISION_COLUMNS: readonly RecordColumn[] = [
  column('kind', 'string', ({ record }) => record.kind),
  ...fields('string', 'decision_id'),
  column('decided_at', 'timestamp', ({ record }) => timeOf(record)),
  ...fields('string', 'decision'),
  ...fields('bool', 'degraded'),
  ofDecision('reason_codes', 'strings', ({ reasons }) => codesOf(reasons)),
  ofDecision('waiver_codes', 'strings', ({ waivers }) => codesOf(waivers)),
  column('caller', 'string', ({ record }) => (record.kind === 'gap' ? null : record.caller)),
  ...fields('string', 'entry_point', 'action'),
  column('request_id', 'string', ({ record }) => (record.kind === 'gap' ? null : record.request_id)),
  ofDecision('policy_id', 'string', ({ policy }) => policy.id),
  ofDecision('policy_hash', 'string', ({ policy }) => policy.hash),
  ...fields('string', 'engine'),
  ...fields('double', 'latency_ms'),
  ofDecision('subject_hash_key', 'string', ({ subject }) => subject.hash_key),
  ofDecision('subject_telemetry', 'string', ({ subject }) => subject.telemetry),
  ofDecision('subject_devices', 'strings', ({ subject }) => subject.devices),
  ...(['account', 'ip', 'network', 'visitor'] as const).map((part) =>
    ofDecision(`subject_${part}`, 'string', ({ subject }) => subject[part]),
  ),
  ...(['latitude', 'longitude'] as const).map((part) =>
    ofDecision(`subject_${part}`, 'double', ({ subject }) => subject.place?.[part]),
  ),
];

/** A gap stands at the time when the first decision was lost, an event at its own. */
function timeOf(record: LogRecord): string {
  if (record.kind === 'decision') return record.decided_at;
  return record.kind === 'gap' ? record.from : record.at;
}

const REQUEST_SIGNALS = signalTreeOf(recordedRequestSchema);
const REQUEST_COLUMNS: readonly RecordColumn[] = columnsOf(REQUEST_SIGNALS).map(({ path, type }) =>
  ofDecision(['request', ...path].join('_'), type, ({ request }) => valueAt(request, path)),
);

/** Of each provider, beside its signals. */
const EVIDENCE_FIELDS = [
  ['outcome', 'string'],
  ['cache', 'string'],
  ['cache_level', 'string'],
  ['latency_ms', 'double'],
  ['age_ms', 'int64'],
  ['request_id', 'string'],
  ['suspect', 'bool'],
] as const satisfies readonly (readonly [keyof EvidenceRecord, ColumnType])[];

function providerColumns(id: string, tree: SignalTree): readonly RecordColumn[] {
  const evidence = EVIDENCE_FIELDS.map(([field, type]) =>
    ofDecision(`${id}_${field}`, type, ({ providers }) => providers[id]?.[field]),
  );
  const signals = columnsOf(tree).map(({ path, type }) =>
    ofDecision([id, 'signals', ...path].join('_'), type, ({ providers }) =>
      valueAt(providers[id]?.signals, path),
    ),
  );
  return [...evidence, ...signals];
}

const CUSTODY_SIGNALS = signalTreeOf(telemetrySignalsSchema);
const CUSTODY_COLUMNS: readonly RecordColumn[] = [
  ofDecision('custody_result', 'string', ({ custody }) => custody.result),
  ...columnsOf(CUSTODY_SIGNALS).map(({ path, type }) =>
    ofDecision(['custody', 'signals', ...path].join('_'), type, ({ custody }) =>
      valueAt(custody.signals, path),
    ),
  ),
];

/** Their signals depend on the policy, so that each is the JSON text of an object, or of `unknown` and `none`. */
const FACT_COLUMNS: readonly RecordColumn[] = (
  ['activity', 'step_up', 'lists', 'shared', 'contradictions'] as const
).map((name) => ofDecision(name, 'string', (record) => toTextOrNull(record[name])));

/** Lists to search in, and JSON texts that hold all of it: those have few distinct values. */
const RULE_COLUMNS: readonly RecordColumn[] = [
  ofDecision('rules_true', 'strings', (record) => rulesThatAre('true', record)),
  ofDecision('rules_unknown', 'strings', (record) => rulesThatAre('unknown', record)),
  ...(['rules', 'reasons', 'waivers', 'candidates'] as const).map((name) =>
    ofDecision(name, 'string', (record) => toTextOrNull(record[name])),
  ),
];

function rulesThatAre(wanted: 'true' | 'unknown', { rules }: DecisionRecord): readonly string[] {
  return rules.filter(({ result }) => result === wanted).map(({ rule }) => rule);
}

const LABEL_COLUMNS: readonly RecordColumn[] = [
  column('label', 'string', ({ labels }) => saidInForce(labels)?.label),
  column('label_at', 'timestamp', ({ labels }) => saidInForce(labels)?.at),
  column('label_note', 'string', ({ labels }) => saidInForce(labels)?.note),
  column('labels', 'string', ({ labels }) => (labels.length === 0 ? null : JSON.stringify(labels))),
];

const ofGap = (name: string, type: ColumnType, read: Read<GapRecord>): RecordColumn =>
  column(name, type, ({ record }) => (record.kind === 'gap' ? read(record) : null));

const GAP_COLUMNS: readonly RecordColumn[] = [
  ofGap('gap_id', 'string', (gap) => gap.gap_id),
  ofGap('gap_sink', 'string', (gap) => gap.sink),
  ofGap('gap_until', 'timestamp', (gap) => gap.until),
  ofGap('dropped', 'int64', (gap) => gap.dropped),
];

const ofEvent = (name: string, read: Read<EventRecord>): RecordColumn =>
  column(name, 'string', ({ record }) => (record.kind === 'event' ? read(record) : null));

const EVENT_COLUMNS: readonly RecordColumn[] = [
  ofEvent('event_id', (event) => event.event_id),
  ofEvent('event', ({ event }) => event),
  // Each kind of event says other things.
  ofEvent('event_record', (event) => JSON.stringify(event)),
];

/** The fields of a record that columns hold in full. */
const HELD = new Set<string>([
  'version',
  'kind',
  'decision_id',
  'decided_at',
  'decision',
  'degraded',
  'reasons',
  'waivers',
  'caller',
  'entry_point',
  'action',
  'request_id',
  'policy',
  'engine',
  'latency_ms',
  'rules',
  'activity',
  'step_up',
  'lists',
  'shared',
  'contradictions',
  'candidates',
]);
const HELD_OF_SUBJECT = new Set<string>([
  'hash_key',
  'telemetry',
  'devices',
  'account',
  'ip',
  'network',
  'visitor',
  'place',
]);
const HELD_OF_EVIDENCE = new Set<string>(EVIDENCE_FIELDS.map(([field]) => field));
const HELD_OF_CUSTODY = new Set<string>(['result']);

/** What no column holds: fields that later versions added, providers and signals that are not declared. */
function otherOf(record: DecisionRecord, trees: ReadonlyMap<string, SignalTree>): unknown {
  return without(record, (name, value) => {
    if (HELD.has(name)) return undefined;
    if (name === 'subject') return without(value, heldBy(HELD_OF_SUBJECT, undefined));
    if (name === 'request') return leftOver(value, REQUEST_SIGNALS);
    if (name === 'custody') return without(value, heldBy(HELD_OF_CUSTODY, CUSTODY_SIGNALS));
    if (name !== 'providers') return value;
    return without(value, (id, evidence) =>
      trees.has(id) ? without(evidence, heldBy(HELD_OF_EVIDENCE, trees.get(id))) : evidence,
    );
  });
}

type Rest = (name: string, value: unknown) => unknown;

function heldBy(names: ReadonlySet<string>, signals: SignalTree | undefined): Rest {
  return (name, value) => {
    if (names.has(name)) return undefined;
    return name === 'signals' && value !== null ? leftOver(value, signals) : value;
  };
}

/** The rests of an object's fields; undefined where nothing is left. */
function without(value: unknown, rest: Rest): object | undefined {
  let left: Record<string, unknown> | undefined;
  for (const name of Object.keys(value as object)) {
    const kept = rest(name, Reflect.get(value as object, name));
    if (kept !== undefined && kept !== null) left = { ...left, [name]: kept };
  }
  return left;
}

function toTextOrNull(value: unknown): string | null {
  return value === undefined || value === null ? null : JSON.stringify(value);
}
