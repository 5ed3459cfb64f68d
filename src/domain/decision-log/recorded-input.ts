import type { Signals } from '../evidence.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import type { PolicyEvidence } from '../policy/evidence-row.ts';
import type { RequestSignals } from '../policy/request-signals.ts';
import { placeReadsOf, requestReadsOf } from '../policy/request-values-read.ts';
import { NEVER_STEPPED_UP, STEP_UP_FACT } from '../policy/step-up-signals.ts';
import { type FactRead, findGaps, type SubjectFacts } from '../policy/subject-fact.ts';
import { TELEMETRY_FACT, type TelemetryCustody, type TelemetrySignals } from '../policy/telemetry-signals.ts';
import { failure, type Result, success } from '../result.ts';
import { AUTHZEN_ENTRY_POINT, hasText } from '../subject.ts';
import type { DecisionRecord } from './decision-record.ts';
import { recordedFactOf } from './recorded-facts.ts';
import type { RecordedRequest } from './recorded-request.ts';

/** What a policy judges, as a record has it. */
interface RecordedInput {
  /** One piece for each provider of the policy, in its order. */
  readonly evidence: readonly PolicyEvidence[];
  readonly request: RequestSignals;
  readonly facts: SubjectFacts;
}

/** Signals of the request that identify somebody: a record knows only whether they were given. */
const IDENTIFYING = ['account_id', 'ip', 'user_agent'] as const;
/** What callers by AuthZEN tell of the subject, and no others: nothing of it is in a record. */
const PROPERTIES = 'properties';
/** Stands for a value that was given; rules that read it are refused before. */
const NOT_RECORDED = '';

/**
 * What this policy would judge of a recorded decision: the same evidence, request and facts, so that the policy
 * that made the decision comes to the same verdict, reasons and trace. Otherwise the names of all that the policy
 * reads and the record does not have, sorted. A record without rules was not judged by a policy.
 */
export function readRecordedInput(
  policy: CompiledPolicy,
  record: DecisionRecord,
): Result<RecordedInput, string> {
  const missing: string[] = [];
  const evidence = policy.providerIds.map((id) => evidenceOf(record, id));
  if (!isOwn(policy, record) && record.request === undefined)
    policy.providerIds.forEach((id, place) => {
      if (evidence[place]?.signals) missing.push(id);
    });
  const request = toRequest(policy, record, missing);
  const facts: Record<string, SubjectFacts[string]> = {};
  for (const read of policy.facts) facts[read.fact.name] = toFact(policy, read, record, missing);
  for (const name of policy.factsNeeded) {
    if (name in facts) continue;
    // No condition reads it, so that it is known as a whole or not at all.
    facts[name] = recordedFactOf(record, name);
    if (facts[name] === undefined) missing.push(name);
  }
  return missing.length === 0 ? success({ evidence, request, facts }) : failure(missing.sort());
}

/** Whether the policy made the decision: it lacked then whatever its record lacks now. */
function isOwn({ hash }: CompiledPolicy, { policy }: DecisionRecord): boolean {
  return hash === policy.hash;
}

/** A provider that is not in the record was not asked. */
function evidenceOf({ providers }: DecisionRecord, id: string): PolicyEvidence {
  const use = Object.hasOwn(providers, id) ? providers[id] : undefined;
  if (use === undefined) return { outcome: 'skipped', signals: null };
  // A record's signals were written from Signals.
  return { outcome: use.outcome, signals: use.signals as Signals | null, suspect: use.suspect };
}

function toRequest(policy: CompiledPolicy, record: DecisionRecord, missing: string[]): RequestSignals {
  const { request, subject, action } = record;
  const signals: RequestSignals = {
    telemetry_id_present: request?.telemetry_id_present ?? subject.telemetry !== null,
    device_id_present: request?.device_id_present ?? subject.devices.length > 0,
    device_id_given: request?.device_id_given ?? subject.devices.length > 0,
  };
  if (hasText(action)) signals.action = action;
  const { values, presences, isWhole } = requestReadsOf(policy);
  const readsProperties = isWhole || values.has(PROPERTIES) || presences.has(PROPERTIES);
  if (record.entry_point === AUTHZEN_ENTRY_POINT && readsProperties) missing.push(`request.${PROPERTIES}`);
  for (const name of IDENTIFYING) {
    const recorded: RecordedRequest[typeof name] | undefined = request?.[name];
    const isRead = isWhole || values.has(name) || (recorded === undefined && presences.has(name));
    if (recorded === 'unreadable') signals.ipUnreadable = true;
    else if (recorded !== 'absent' && isRead) missing.push(`request.${name}`);
    else if (recorded === 'given') signals[name] = NOT_RECORDED;
  }
  // Where there was no address, or none that could be read, there was no place.
  if (signals.ipUnreadable !== true && request?.ip !== 'absent')
    for (const name of placeReadsOf(policy)) missing.push(`request.${name}`);
  return signals;
}

function toFact(
  policy: CompiledPolicy,
  read: FactRead,
  record: DecisionRecord,
  missing: string[],
): SubjectFacts[string] {
  const { name } = read.fact;
  const isCustody = name === TELEMETRY_FACT.name;
  const recorded = isCustody ? toCustody(record) : recordedFactOf(record, name);
  // As conditions read it, which those of the policy of the day may not have.
  const value = name === STEP_UP_FACT.name && recorded === 'none' ? NEVER_STEPPED_UP : recorded;
  if (value === undefined) missing.push(name);
  // What the policy of the day did not read was neither asked for nor recorded.
  else if (!isOwn(policy, record)) missing.push(...namesUnread(read, value, record));
  return value;
}

function namesUnread(
  read: FactRead,
  value: Exclude<SubjectFacts[string], undefined>,
  { subject }: DecisionRecord,
): readonly string[] {
  const { name, whole } = read.fact;
  const isCustody = name === TELEMETRY_FACT.name;
  if (typeof value === 'string')
    return isCustody && value === 'none' && subject.telemetry !== null ? [name] : [];
  const gaps = findGaps(read.paths, value).map((place) => read.paths[place]?.join('.') ?? '');
  // Custody is asked for as one, and has all but what was lost.
  return gaps.filter((path) => !(isCustody && whole.includes(path))).map((path) => `${name}.${path}`);
}

function toCustody({ custody }: DecisionRecord): TelemetryCustody {
  // What is there was written from TelemetrySignals; an older record may lack a signal, which is then unknown.
  return (custody.signals as TelemetrySignals | null) ?? (custody.result === 'none' ? 'none' : 'unknown');
}
