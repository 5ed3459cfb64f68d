import { activityWithout } from '../activity/without-provider.ts';
import { CONTRADICTIONS_FACT } from '../contradictions/contradiction-signals.ts';
import { contradictionsWithout } from '../contradictions/without-provider.ts';
import { isDefinite } from '../evidence.ts';
import { listsWithoutTelemetry } from '../lists/without-provider.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import { evaluatePolicy } from '../policy/evaluate.ts';
import type { PolicyEvidence } from '../policy/evidence-row.ts';
import type { Judgement } from '../policy/judgement.ts';
import type { SubjectFacts } from '../policy/subject-fact.ts';
import { TELEMETRY_FACT } from '../policy/telemetry-signals.ts';
import type { Reason } from '../reason.ts';
import type { Verdict } from '../verdict.ts';
import type { DecisionRecord } from './decision-record.ts';
import { readRecordedInput } from './recorded-input.ts';

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
 * Judges a decision again without each of its providers, by its own policy and recorded signals. The record
 * must first reproduce the decision itself; otherwise there is no result. `telemetryProviders` are those that
 * are asked about telemetry ids: they report when one expires, and whom and where a request comes from.
 */
export function judgeWithout(
  policy: CompiledPolicy,
  record: DecisionRecord,
  telemetryProviders: readonly string[],
): WithoutEachProvider {
  const input = readRecordedInput(policy, record);
  if (!input.ok) return unavailable(`${input.mistakes.join(', ')}: not recorded`);
  const { evidence, request, facts } = input.value;
  if (!agrees(evaluatePolicy(policy, evidence, request, facts), record))
    return unavailable('the record does not come to its own decision');
  const providers = policy.providerIds.flatMap((provider, place) => {
    const outcome = evidence[place]?.outcome;
    if (outcome === 'skipped' || outcome === undefined) return [];
    // Evidence that was already lost cannot be left out.
    const changed = isDefinite(outcome) ? evidence.with(place, LOST) : evidence;
    const isTelling = isDefinite(outcome) && telemetryProviders.includes(provider);
    const seen = isTelling ? listsWithoutTelemetry(withoutExpiry(facts)) : facts;
    const left = isDefinite(outcome)
      ? activityWithout({ provider, isOfTelemetry: isTelling }, withoutFindings(provider, seen))
      : seen;
    const { verdict, reasons } = evaluatePolicy(policy, changed, request, left);
    return [{ provider, decision: verdict, changes: verdict !== record.decision, reasons }];
  });
  return { why: null, providers };
}

function unavailable(why: string): WithoutEachProvider {
  return { why, providers: [] };
}

/**
 * Only the provider can report that a telemetry id has not expired; that it has expired is also known from
 * the binding.
 */
function withoutExpiry(facts: SubjectFacts): SubjectFacts {
  const custody = facts[TELEMETRY_FACT.name];
  if (typeof custody !== 'object' || custody['expired'] !== false) return facts;
  const { expired: _, ...rest } = custody;
  return { ...facts, [TELEMETRY_FACT.name]: rest };
}

/** What was found with the provider's answer is not found without it. */
function withoutFindings(provider: string, facts: SubjectFacts): SubjectFacts {
  const told = facts[CONTRADICTIONS_FACT.name];
  if (typeof told !== 'object') return facts;
  return { ...facts, [CONTRADICTIONS_FACT.name]: contradictionsWithout(provider, told) };
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
