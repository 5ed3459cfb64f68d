import { isDefinite, type Signals } from '../evidence.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import { evaluatePolicy, type Judgement, type PolicyEvidence } from '../policy/evaluate.ts';
import type { RequestSignals } from '../policy/request-signals.ts';
import type { TelemetryCustody, TelemetrySignals } from '../policy/telemetry-signals.ts';
import type { Reason } from '../reason.ts';
import type { Verdict } from '../verdict.ts';
import type { DecisionRecord } from './decision-record.ts';

/** What would have been decided had one provider not answered. */
export interface JudgedWithout {
  readonly provider: string;
  readonly verdict: Verdict;
  /** The verdict is another one than that of the decision. */
  readonly changes: boolean;
  readonly reasons: readonly Reason[];
}

/** `why` is null where the providers could be left out one by one; otherwise it says why not, and there are none. */
export interface Withouts {
  readonly why: string | null;
  readonly providers: readonly JudgedWithout[];
}

/** How a provider that is left out ends. */
const LOST: PolicyEvidence = { outcome: 'unavailable', signals: null };
/** A request signal that no record keeps: it would be an identifier. A mention in a text counts as well, which costs an explanation and no more. */
const UNRECORDED_READ =
  /\brequest\b(?!\s*\.\s*(?:telemetry_id_present|device_id_present|device_id_given|action)\b)/;

/**
 * Leaves each provider of a decision out, with the policy it was made by and the signals it rests on. What the records hold has to come to the decision itself first: where it does not, nothing is said.
 * `telemetryProviders` are those that say when a telemetry id expires.
 */
export function judgeWithout(
  policy: CompiledPolicy,
  record: DecisionRecord,
  telemetryProviders: readonly string[],
): Withouts {
  const unrecorded = policy.rules.find(({ source }) => UNRECORDED_READ.test(source.when));
  if (unrecorded !== undefined)
    return unavailable(`the rule ${unrecorded.source.id} reads what records do not keep`);
  const evidence = policy.providerIds.map((id) => evidenceOf(record, id));
  const request = toRequest(record);
  const custody = toCustody(record);
  if (!agrees(evaluatePolicy(policy, evidence, request, custody), record))
    return unavailable('the record does not come to its own verdict');
  const providers = policy.providerIds.flatMap((provider, place) => {
    const outcome = evidence[place]?.outcome;
    if (outcome === 'skipped' || outcome === undefined) return [];
    // Nobody can lose what was lost already.
    const changed = isDefinite(outcome) ? evidence.with(place, LOST) : evidence;
    const seen = telemetryProviders.includes(provider) ? withoutExpiry(custody) : custody;
    const { verdict, reasons } = evaluatePolicy(
      policy,
      changed,
      request,
      isDefinite(outcome) ? seen : custody,
    );
    return [{ provider, verdict, changes: verdict !== record.verdict, reasons }];
  });
  return { why: null, providers };
}

function unavailable(why: string): Withouts {
  return { why, providers: [] };
}

/** A provider that the decision did not know was never asked. */
function evidenceOf({ providers }: DecisionRecord, id: string): PolicyEvidence {
  const use = Object.hasOwn(providers, id) ? providers[id] : undefined;
  if (use === undefined) return { outcome: 'skipped', signals: null };
  // Records are made of signals, and hold nothing else there.
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
  // An older record may lack a signal: a rule that reads it is unknown, and the record then comes to another verdict.
  return (custody.signals as TelemetrySignals | null) ?? (custody.result === 'none' ? 'none' : 'unknown');
}

/** That a telemetry id has not expired is what its provider says; that it has, the binding remembers. */
function withoutExpiry(custody: TelemetryCustody): TelemetryCustody {
  if (typeof custody !== 'object' || custody.expired !== false) return custody;
  const { expired: _, ...rest } = custody;
  return rest;
}

function agrees({ verdict, trace }: Judgement, record: DecisionRecord): boolean {
  const isSame = (place: number) =>
    trace[place]?.rule === record.rules[place]?.rule && trace[place]?.result === record.rules[place]?.result;
  return (
    verdict === record.verdict &&
    trace.length === record.rules.length &&
    trace.every((_, place) => isSame(place))
  );
}
