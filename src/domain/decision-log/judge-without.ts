import { isDefinite, type Signals } from '../evidence.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import { evaluatePolicy } from '../policy/evaluate.ts';
import type { PolicyEvidence } from '../policy/evidence-row.ts';
import type { Judgement } from '../policy/judgement.ts';
import type { RequestSignals } from '../policy/request-signals.ts';
import type { TelemetryCustody, TelemetrySignals } from '../policy/telemetry-signals.ts';
import type { Reason } from '../reason.ts';
import type { Verdict } from '../verdict.ts';
import type { DecisionRecord } from './decision-record.ts';

/** The decision that would have been made if one provider had not answered. */
interface JudgedWithout {
  readonly provider: string;
  readonly decision: Verdict;
  /** It differs from what was decided. */
  readonly changes: boolean;
  readonly reasons: readonly Reason[];
}

/**
 * A decision judged again without each of its providers. `why` is null on success; otherwise it gives the
 * reason, and `providers` is empty.
 */
export interface WithoutEachProvider {
  readonly why: string | null;
  readonly providers: readonly JudgedWithout[];
}

/** The evidence of a provider that is left out. */
const LOST: PolicyEvidence = { outcome: 'unavailable', signals: null };
/**
 * A request signal that records do not keep, because it is an identifier. A mention inside a text literal
 * matches too; that only costs an explanation.
 */
const UNRECORDED_READ =
  /\brequest\b(?!\s*\.\s*(?:telemetry_id_present|device_id_present|device_id_given|action)\b)/;

/**
 * Judges a decision again without each of its providers, by its own policy and recorded signals. The record
 * must first reproduce the decision itself; otherwise there is no result. `telemetryProviders` are those that
 * report when a telemetry id expires.
 */
export function judgeWithout(
  policy: CompiledPolicy,
  record: DecisionRecord,
  telemetryProviders: readonly string[],
): WithoutEachProvider {
  const unrecorded = policy.rules.find(({ source }) => UNRECORDED_READ.test(source.when));
  if (unrecorded !== undefined)
    return unavailable(`the rule ${unrecorded.source.id} reads what records do not keep`);
  const evidence = policy.providerIds.map((id) => evidenceOf(record, id));
  const request = toRequest(record);
  const custody = toCustody(record);
  if (!agrees(evaluatePolicy(policy, evidence, request, { telemetry: custody }), record))
    return unavailable('the record does not come to its own decision');
  const providers = policy.providerIds.flatMap((provider, place) => {
    const outcome = evidence[place]?.outcome;
    if (outcome === 'skipped' || outcome === undefined) return [];
    // Evidence that was already lost cannot be left out.
    const changed = isDefinite(outcome) ? evidence.with(place, LOST) : evidence;
    const seen = telemetryProviders.includes(provider) ? withoutExpiry(custody) : custody;
    const { verdict, reasons } = evaluatePolicy(policy, changed, request, {
      telemetry: isDefinite(outcome) ? seen : custody,
    });
    return [{ provider, decision: verdict, changes: verdict !== record.decision, reasons }];
  });
  return { why: null, providers };
}

function unavailable(why: string): WithoutEachProvider {
  return { why, providers: [] };
}

/** A provider that is not in the record was not asked. */
function evidenceOf({ providers }: DecisionRecord, id: string): PolicyEvidence {
  const use = Object.hasOwn(providers, id) ? providers[id] : undefined;
  if (use === undefined) return { outcome: 'skipped', signals: null };
  // A record's signals were written from Signals.
  return { outcome: use.outcome, signals: use.signals as Signals | null, suspect: use.suspect };
}

function toRequest({ subject, action }: DecisionRecord): RequestSignals {
  const signals: RequestSignals = {
    telemetry_id_present: subject.telemetry !== null,
    device_id_present: subject.devices.length > 0,
    device_id_given: subject.devices.length > 0,
  };
  if (action !== null) signals.action = action;
  return signals;
}

function toCustody({ custody }: DecisionRecord): TelemetryCustody {
  // An older record may lack a signal: a rule that reads it is unknown, and the verdict then differs from the
  // record's. What is there was written from TelemetrySignals.
  return (custody.signals as TelemetrySignals | null) ?? (custody.result === 'none' ? 'none' : 'unknown');
}

/**
 * Only the provider can report that a telemetry id has not expired; that it has expired is also known from
 * the binding.
 */
function withoutExpiry(custody: TelemetryCustody): TelemetryCustody {
  if (typeof custody !== 'object' || custody.expired !== false) return custody;
  const { expired: _, ...rest } = custody;
  return rest;
}

function agrees({ verdict, trace }: Judgement, record: DecisionRecord): boolean {
  const isSame = (place: number) =>
    trace[place]?.rule === record.rules[place]?.rule && trace[place]?.result === record.rules[place]?.result;
  return (
    verdict === record.decision &&
    trace.length === record.rules.length &&
    trace.every((_, place) => isSame(place))
  );
}
