import { DEFINITE_OUTCOMES, type Evidence, isDefinite } from '../evidence.ts';
import type { Reason, Waiver } from '../reason.ts';
import { stricterOf, strictnessOf, type Verdict } from '../verdict.ts';
import { TELEMETRY } from './cel-environment.ts';
import type { CompiledPolicy, CompiledRule } from './compile.ts';
import { CAN_BE_ERROR, CAN_BE_TRUE } from './possible-results.ts';
import type { RequestSignals } from './request-signals.ts';
import type { RuleResult, RuleTrace } from './rule-trace.ts';
import type { TelemetryCustody } from './telemetry-signals.ts';

/**
 * The part of evidence that a policy can see. One entry for each provider, in the policy's provider order.
 */
export interface PolicyEvidence extends Pick<Evidence, 'outcome' | 'signals'> {
  /** The provider's `not_found` is in doubt; absent is false. */
  readonly suspect?: boolean;
}

/** What `providers.<id>` holds. */
interface ProviderState {
  readonly outcome: string;
  readonly suspect: boolean;
}

/** The result of a policy on given evidence. */
export interface Judgement {
  readonly verdict: Verdict;
  /** Every rule that is true or unknown, strictest first. */
  readonly reasons: readonly Reason[];
  readonly waivers: readonly Waiver[];
  /**
   * True when a provider that some rule reads ended in an indefinite outcome, or custody that some rule reads
   * is unknown.
   */
  readonly degraded: boolean;
  /** One entry for each rule, in the order of the file, including rules that an exempt rule overrides. */
  readonly trace: readonly RuleTrace[];
}

/** Everything that one evaluation needs; built once for all rules. */
interface EvaluationInput {
  readonly context: Readonly<Record<string, unknown>>;
  /**
   * `absentMask`: providers without signals. `indefiniteMask`: those whose outcome is indefinite. Custody has
   * the bit after the last provider.
   */
  readonly absentMask: number;
  readonly indefiniteMask: number;
  readonly suspectMask: number;
  readonly evidence: readonly PolicyEvidence[];
  readonly custody: TelemetryCustody;
  readonly policy: CompiledPolicy;
}

/** A judgement while it is built, rule by rule. The verdict is null until a rule contributes. */
interface JudgementDraft {
  verdict: Verdict | null;
  readonly reasons: Reason[];
  readonly waivers: Waiver[];
  readonly trace: RuleTrace[];
}

const UNREADABLE = 'unreadable';
const FALSE: Finding = { result: 'false', why: '' };
const TRUE: Finding = { result: 'true', why: '' };

interface Finding {
  readonly result: RuleResult;
  readonly why: string;
}

/**
 * Judges evidence by a policy. Lost evidence, or a suspect provider, can change a verdict between CHALLENGE
 * and BLOCK in either direction, but never turns it into ALLOW unless a waiver allows that.
 */
export function evaluatePolicy(
  policy: CompiledPolicy,
  evidence: readonly PolicyEvidence[],
  request: RequestSignals,
  // Custody that is not given is unknown, never a first use.
  custody: TelemetryCustody = 'unknown',
): Judgement {
  const input = toInput(policy, evidence, request, custody);
  const degraded = (input.indefiniteMask & policy.neededMask) !== 0;
  const findings = policy.rules.map((rule) => findOut(rule, input));
  const exempt = policy.rules.findIndex(
    (rule, place) => rule.source.exempt && findings[place]?.result === 'true',
  );
  const draft: JudgementDraft = { verdict: null, reasons: [], waivers: [], trace: [] };
  policy.rules.forEach((rule, place) => {
    const finding = findings[place] ?? FALSE;
    draft.trace.push(toTrace(rule, finding));
    if (exempt === -1 || place === exempt) contribute(rule, finding, draft);
  });
  draft.reasons.sort(byStrictness);
  const { reasons, waivers, trace } = draft;
  return { verdict: draft.verdict ?? policy.document.otherwise, reasons, waivers, degraded, trace };
}

function toInput(
  policy: CompiledPolicy,
  evidence: readonly PolicyEvidence[],
  request: RequestSignals,
  custody: TelemetryCustody,
): EvaluationInput {
  const context: Record<string, unknown> = {
    request: hideUnreadable(toRunValues(policy, 'request', request)),
  };
  const states: Record<string, ProviderState> = {};
  let absentMask = 0;
  let indefiniteMask = 0;
  let suspectMask = 0;
  policy.providerIds.forEach((id, place) => {
    const piece = evidence[place];
    if (piece === undefined) throw new RangeError('A policy judges one piece of evidence for each provider.');
    const suspect = piece.suspect ?? false;
    states[id] = { outcome: piece.outcome, suspect };
    if (suspect) suspectMask |= 1 << place;
    if (!isDefinite(piece.outcome)) indefiniteMask |= 1 << place;
    // Signals count only with a definite outcome, whatever a store returned.
    if (piece.signals !== null && isDefinite(piece.outcome))
      context[id] = toRunValues(policy, id, piece.signals);
    else absentMask |= 1 << place;
  });
  context['providers'] = states;
  const custodyBit = 1 << policy.providerIds.length;
  if (typeof custody === 'object') context[TELEMETRY] = toRunValues(policy, TELEMETRY, custody);
  else absentMask |= custodyBit;
  // Known custody lacks `expired` when the evidence of the provider that reports it is lost.
  if (custody === 'unknown' || (typeof custody === 'object' && custody.expired === undefined))
    indefiniteMask |= custodyBit;
  return { context, absentMask, indefiniteMask, suspectMask, evidence, custody, policy };
}

/**
 * Makes `request.ip` unknown where the address cannot be read: both reading it and `has(request.ip)` fail, as
 * for lost evidence.
 */
function hideUnreadable(request: object): object {
  if (!('ipUnreadable' in request)) return request;
  return Object.defineProperty({ ...request }, 'ip', {
    get: () => {
      throw Object.assign(new Error('The address cannot be read.'), { code: UNREADABLE });
    },
  });
}

/** Converts the signals of one variable to the values that rules run on. */
function toRunValues({ toRunValues: conversions }: CompiledPolicy, name: string, signals: object): object {
  return conversions.get(name)?.(signals) ?? signals;
}

function findOut(rule: CompiledRule, input: EvaluationInput): Finding {
  if (input.absentMask !== 0 && rule.possible(input.absentMask) === CAN_BE_ERROR) return missing(rule, input);
  let failed: unknown;
  try {
    if (rule.run(input.context) === true) return TRUE;
    return isFalseForSure(rule, input) ? FALSE : missing(rule, input);
  } catch (error) {
    // In CEL, reading an absent field is an error; the rule is then unknown.
    failed = error;
  }
  const isAbsent = rule.signalReads.some((place) => input.absentMask & (1 << place));
  return isAbsent ? missing(rule, input) : { result: 'unknown', why: describeError(failed) };
}

/**
 * The finding for a rule that reads absent signals or a suspect provider. It is `inert` where a provider that
 * was skipped on purpose already makes it impossible for the rule to be true; otherwise it is unknown.
 */
function missing(rule: CompiledRule, input: EvaluationInput): Finding {
  const { absentMask, indefiniteMask, suspectMask, policy } = input;
  const skippedMask = absentMask & ~indefiniteMask;
  const readsSkipped = rule.signalReads.some((place) => skippedMask & (1 << place));
  const isInert = readsSkipped && (rule.possible(skippedMask) & CAN_BE_TRUE) === 0;
  const lostMask = isInert ? skippedMask : absentMask;
  const reads = new Set([...rule.signalReads, ...rule.outcomeReads]);
  const lost = [...reads].filter((place) => lostMask & (1 << place));
  const whys = lost.map((place) => describeLoss(place, input));
  const doubted = isInert ? [] : rule.outcomeReads.filter((place) => suspectMask & (1 << place));
  whys.push(...doubted.map((place) => `${policy.providerIds[place]} suspect`));
  return { result: isInert ? 'inert' : 'unknown', why: whys.join(', ') };
}

function describeLoss(place: number, { policy, evidence, custody }: EvaluationInput): string {
  const id = policy.providerIds[place];
  if (id !== undefined) return `${id} ${evidence[place]?.outcome}`;
  return custody === 'none' ? 'no telemetry id' : 'custody unavailable';
}

/**
 * `providers.<id>` is readable in an outage and under suspicion. So a condition such as `outcome == "ok" &&
 * action == "BLOCK"` can be false only because evidence is lost, and `!found && !suspect` only because a
 * provider is suspect. False is certain only if the condition is false for every definite outcome that the
 * provider could have had, and without the suspicion too.
 */
function isFalseForSure(rule: CompiledRule, input: EvaluationInput): boolean {
  const openMask = input.indefiniteMask | input.suspectMask;
  const open = rule.outcomeReads.filter((place) => openMask & (1 << place));
  return open.length === 0 || isFalseForAll(rule, input, open, statesIn(input.context));
}

function isFalseForAll(
  rule: CompiledRule,
  input: EvaluationInput,
  open: readonly number[],
  states: Readonly<Record<string, ProviderState>>,
): boolean {
  const [place, ...rest] = open;
  if (place === undefined) {
    try {
      return rule.run({ ...input.context, providers: states }) === false;
    } catch {
      // In that state the rule reads a signal that is lost: it is unknown.
      return false;
    }
  }
  const id = input.policy.providerIds[place] ?? '';
  return statesPossible(place, input).every((state) =>
    isFalseForAll(rule, input, rest, { ...states, [id]: state }),
  );
}

/** The states that a provider could have had if its evidence were not lost and it were not suspect. */
function statesPossible(
  place: number,
  { evidence, indefiniteMask, suspectMask }: EvaluationInput,
): ProviderState[] {
  const isLost = (indefiniteMask & (1 << place)) !== 0;
  const outcomes = isLost ? DEFINITE_OUTCOMES : [evidence[place]?.outcome ?? ''];
  const suspicions = (suspectMask & (1 << place)) !== 0 ? [false, true] : [false];
  return outcomes.flatMap((outcome) => suspicions.map((suspect) => ({ outcome, suspect })));
}

function statesIn(context: Readonly<Record<string, unknown>>): Readonly<Record<string, ProviderState>> {
  // `toInput` puts them there.
  return context['providers'] as Readonly<Record<string, ProviderState>>;
}

/** The trace of a true or false rule never changes, so it is built once, at load. */
function toTrace({ source, trueTrace, falseTrace }: CompiledRule, { result, why }: Finding): RuleTrace {
  if (result === 'false') return falseTrace;
  if (result === 'true') return trueTrace;
  if (result === 'inert') return { rule: source.id, result, why };
  return { rule: source.id, result, why, on_unknown: source.on_unknown };
}

function contribute(rule: CompiledRule, { result }: Finding, draft: JudgementDraft): void {
  const { id, reason: code, verdict, on_unknown: onUnknown } = rule.source;
  if (result === 'false' || result === 'inert') return;
  const certain = result === 'true';
  const isWaived = !certain && onUnknown === 'IGNORE';
  const contributed: Verdict = certain ? verdict : onUnknown === 'IGNORE' ? 'ALLOW' : onUnknown;
  draft.reasons.push({ code, rule: id, verdict: contributed, providers: rule.providers, certain });
  if (isWaived) draft.waivers.push({ code, rule: id, providers: rule.providers });
  else draft.verdict = draft.verdict === null ? contributed : stricterOf(draft.verdict, contributed);
}

function byStrictness(left: Reason, right: Reason): number {
  return (
    strictnessOf(right.verdict) - strictnessOf(left.verdict) || Number(right.certain) - Number(left.certain)
  );
}

/** Describes an error without its values: the error's own text may quote them. */
function describeError(error: unknown): string {
  const code: unknown = Reflect.get(Object(error), 'code');
  if (code === UNREADABLE) return 'the IP address cannot be read';
  return code === 'no_such_key' ? 'a signal it reads is absent' : `cannot be evaluated (${String(code)})`;
}
