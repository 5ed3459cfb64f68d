import { BECAUSE } from '../contradictions/contradiction-signals.ts';
import type { DecisionRecord } from '../decision-log/decision-record.ts';
import type { RecordedFacts } from '../decision-log/recorded-facts.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import { STEP_UP_FACT } from '../policy/step-up-signals.ts';
import { TELEMETRY_FACT } from '../policy/telemetry-signals.ts';
import { collectUses, type SignalUses } from '../policy-analysis/signal-uses.ts';
import { AUTHZEN_ENTRY_POINT } from '../subject.ts';
import { exactly, toValueClass, type ValueClass } from './value-class.ts';

/** What a policy tells apart of the value with one name, and of what is within it. */
export interface ReadNode {
  /** Null where only what is within is read. */
  readonly classOf: ValueClass | null;
  readonly fields: ReadonlyMap<string, ReadNode>;
}

/** What a policy tells apart of records, by the names that conditions begin with: `stytch`, `activity`. */
export type RecordClasses = ReadonlyMap<string, ReadNode>;

interface Draft {
  classOf: ValueClass | null;
  readonly fields: Map<string, Draft>;
}

type Put = (path: readonly string[], classOf: ValueClass) => void;

/** Of values that are told apart by whether they are there. */
const NO_USE = {
  literals: new Set<string | number | boolean>(),
  peers: new Set<string>(),
  searches: new Map<string, string>(),
  opaque: new Set<string>(),
};

/** What a policy tells apart: records that are alike in all of it are judged alike. */
export function toRecordClasses(policy: CompiledPolicy): RecordClasses {
  const uses: SignalUses = new Map();
  for (const { ast } of policy.rules) collectUses(ast, uses);
  const root: Draft = { classOf: null, fields: new Map() };
  const put: Put = (path, classOf) => {
    let node = root;
    for (const name of path) {
      const inner = node.fields.get(name) ?? { classOf: null, fields: new Map() };
      node.fields.set(name, inner);
      node = inner;
    }
    node.classOf ??= classOf;
  };
  putStepUps(policy, uses, put);
  for (const { path, ...use } of uses.values()) put(path, toValueClass(use));
  for (const { fact, paths } of policy.facts)
    for (const path of paths) put([...fact.name.split('.'), ...path], toValueClass(NO_USE));
  return root.fields;
}

/** A step-up satisfies rules by its age and by what it achieved, whatever conditions read of it. */
function putStepUps({ stepUps }: CompiledPolicy, uses: SignalUses, put: Put): void {
  if (stepUps.size === 0) return;
  const age = uses.get(`${STEP_UP_FACT.name}.age_seconds`) ?? NO_USE;
  const ages = [...stepUps.values()].map(({ maxAgeSeconds }) => maxAgeSeconds);
  const literals = new Set([...age.literals, ...ages]);
  put([STEP_UP_FACT.name, 'age_seconds'], toValueClass({ ...age, literals }));
  put([STEP_UP_FACT.name, 'acr'], exactly);
}

/** What of a record a policy can tell apart. The subject is read for which ids it has. */
type ClassedRecord = Pick<
  DecisionRecord,
  'policy' | 'request' | 'entry_point' | 'providers' | 'custody' | 'action' | keyof RecordedFacts
> & {
  readonly subject: { readonly telemetry: unknown; readonly devices: readonly unknown[] };
  readonly rules: readonly unknown[];
};

/** Puts something in the place of what is read: a store may have other things than values there. */
export interface ClassWriter {
  /** `classOf` is null for what is kept as it is. */
  value(value: unknown, classOf: ValueClass | null): unknown;
  /** `node` is undefined where nothing of them is read. */
  signals(signals: unknown, node: ReadNode | undefined): unknown;
}

const PLAIN: ClassWriter = {
  value: (value, classOf) => (classOf === null ? value : classOf(value)),
  signals: (signals, node) => project(node, signals, PLAIN),
};

/** The same text for records that the policy judges alike. */
export function classKeyOf(classes: RecordClasses, record: ClassedRecord): string {
  return JSON.stringify(projectRecord(classes, record, PLAIN));
}

/** What a policy tells apart of a record, as JSON. */
function projectRecord(classes: RecordClasses, record: ClassedRecord, writer: ClassWriter): unknown {
  return Object.values(MEMBERS).map((project) => project(classes, record, writer));
}

/** The same of one member of a record; undefined for one that is not read. */
export function projectMember(
  classes: RecordClasses,
  name: string,
  value: unknown,
  writer: ClassWriter,
): unknown {
  if (!Object.hasOwn(MEMBERS, name)) return undefined;
  const projection = MEMBERS[name as keyof ClassedRecord] as Projection<Readonly<Record<string, unknown>>>;
  return projection(classes, { [name]: value }, writer);
}

type Projection<Members> = (classes: RecordClasses, record: Members, writer: ClassWriter) => unknown;

/** For each member of a record that is read, what a policy tells apart of it. */
const MEMBERS: { readonly [Name in keyof ClassedRecord]-?: Projection<Pick<ClassedRecord, Name>> } = {
  policy: (_classes, { policy }) => policy.hash,
  rules: (_classes, { rules }) => rules.length === 0,
  request: (classes, { request }) => (classes.has('request') ? request : request !== undefined),
  // What callers by AuthZEN alone tell is in no record.
  entry_point: (classes, { entry_point }) =>
    classes.has('request') ? entry_point === AUTHZEN_ENTRY_POINT : 0,
  subject: (_classes, { subject }) => [subject.telemetry !== null, subject.devices.length > 0],
  action: (classes, { action }, writer) => {
    const ofRequest = classes.get('request');
    const node = ofRequest?.classOf != null ? ofRequest : ofRequest?.fields.get('action');
    return node === undefined ? 0 : writer.value(action, node.classOf);
  },
  custody: (classes, { custody }, writer) => {
    const node = classes.get(TELEMETRY_FACT.name);
    return node === undefined ? 0 : [custody.result, project(node, custody.signals, writer)];
  },
  providers: (classes, { providers }, writer) =>
    Object.entries(providers).map(([id, { outcome, suspect, signals }]) => [
      id,
      outcome,
      suspect,
      signals === null ? null : writer.signals(signals, classes.get(id)),
    ]),
  activity: (classes, { activity }, writer) => project(classes.get('activity'), activity, writer),
  step_up: (classes, { step_up }, writer) => project(classes.get('step_up'), step_up, writer),
  lists: (classes, { lists }, writer) => project(classes.get('lists'), lists, writer),
  shared: (classes, { shared }, writer) => project(classes.get('shared'), shared, writer),
  // How surely they are known stands beside them; their working is shown and never read.
  contradictions: (classes, { contradictions }, writer) =>
    classes.has('contradictions') ? writer.value(withoutWorking(contradictions), null) : 0,
};

/** What is told apart of a value; 0 where nothing is. */
export function project(node: ReadNode | undefined, value: unknown, writer: ClassWriter): unknown {
  if (node === undefined) return 0;
  if (node.classOf === exactly || !isPlain(value)) return writer.value(value, node.classOf);
  const fields: Record<string, unknown> = {};
  for (const [name, inner] of node.fields)
    if (Object.hasOwn(value, name)) fields[name] = project(inner, value[name], writer);
  return fields;
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && value.constructor === Object;
}

function withoutWorking(value: unknown): unknown {
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([name]) => name !== BECAUSE));
}
