import { DEFINITE_OUTCOMES, type Evidence, isDefinite } from '../evidence.ts';
import type { Reason, Waiver } from '../reason.ts';
import { stricterOf, strictnessOf, type Verdict } from '../verdict.ts';
import { TELEMETRY } from './cel-environment.ts';
import type { CompiledPolicy, CompiledRule } from './compile.ts';
import { CAN_BE_ERROR, CAN_BE_TRUE } from './possible-results.ts';
import type { RequestSignals } from './request-signals.ts';
import type { RuleResult, RuleTrace } from './rule-trace.ts';
import type { TelemetryCustody } from './telemetry-signals.ts';

/** The part of evidence that a policy can see. One entry for each provider, in the policy's provider order. */
export interface PolicyEvidence extends Pick<Evidence, 'outcome' | 'signals'> {
  /** The provider's `not_found` is in doubt; absent is false. */
  readonly suspect?: boolean;
}

/** What `providers.<id>` holds. */
interface ProviderState {
  readonly outcome: string;
  readonly suspect: boolean;
}

/** What a policy says of some evidence. */
export interface Judgement {
  readonly verdict: Verdict;
  /** Every rule that is true or unknown, strictest first. */
  readonly reasons: readonly Reason[];
  readonly waivers: readonly Waiver[];
  /** True when a provider that some rule reads ended in an indefinite outcome, or custody that some rule reads is unknown. */
  readonly degraded: boolean;
  /** One entry for each rule, in the order of the file: also for those that an exempt rule keeps from counting. */
  readonly trace: readonly RuleTrace[];
}

/** Everything one evaluation needs; built once for all rules. */
interface Bench {
  readonly context: Readonly<Record<string, unknown>>;
  /** Providers without signals, and of these the ones that may have had something to say; custody has the bit after the last provider. */
  readonly absentMask: number;
  readonly indefiniteMask: number;
  readonly suspectMask: number;
  readonly evidence: readonly PolicyEvidence[];
  readonly custody: TelemetryCustody;
  readonly policy: CompiledPolicy;
}

/** What one evaluation collects. */
interface Ledger {
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

/** Judges evidence by a policy. Losing evidence, or coming to doubt a provider, can make the verdict stricter or weaker among CHALLENGE and BLOCK, and never turns either into ALLOW unless a waiver says so. */
export function evaluatePolicy(
  policy: CompiledPolicy,
  evidence: readonly PolicyEvidence[],
  request: RequestSignals,
  // Custody that nobody speaks of is unknown, never a first use.
  custody: TelemetryCustody = 'unknown',
): Judgement {
  const bench = createBench(policy, evidence, request, custody);
  const degraded = (bench.indefiniteMask & policy.neededMask) !== 0;
  const findings = policy.rules.map((rule) => findOut(rule, bench));
  const exempt = policy.rules.findIndex(
    (rule, place) => rule.source.exempt && findings[place]?.result === 'true',
  );
  const ledger: Ledger = { verdict: null, reasons: [], waivers: [], trace: [] };
  policy.rules.forEach((rule, place) => {
    const finding = findings[place] ?? FALSE;
    ledger.trace.push(toTrace(rule, finding));
    if (exempt === -1 || place === exempt) enter(rule, finding, ledger);
  });
  ledger.reasons.sort(byStrictness);
  const { reasons, waivers, trace } = ledger;
  return { verdict: ledger.verdict ?? policy.document.otherwise, reasons, waivers, degraded, trace };
}

function createBench(
  policy: CompiledPolicy,
  evidence: readonly PolicyEvidence[],
  request: RequestSignals,
  custody: TelemetryCustody,
): Bench {
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
    // Signals count only beside a definite outcome, whatever a store may have handed over.
    if (piece.signals !== null && isDefinite(piece.outcome))
      context[id] = toRunValues(policy, id, piece.signals);
    else absentMask |= 1 << place;
  });
  context['providers'] = states;
  const custodyBit = 1 << policy.providerIds.length;
  if (typeof custody === 'object') context[TELEMETRY] = toRunValues(policy, TELEMETRY, custody);
  else absentMask |= custodyBit;
  // Known custody lacks `expired` when the provider that could have said it was lost.
  if (custody === 'unknown' || (typeof custody === 'object' && custody.expired === undefined))
    indefiniteMask |= custodyBit;
  return { context, absentMask, indefiniteMask, suspectMask, evidence, custody, policy };
}

/** Makes `request.ip` unknown where it cannot be read: reading it and asking for it by `has()` both fail, as of a provider that was lost. */
function hideUnreadable(request: object): object {
  if (!('ipUnreadable' in request)) return request;
  return Object.defineProperty({ ...request }, 'ip', {
    get: () => {
      throw Object.assign(new Error('The address cannot be read.'), { code: UNREADABLE });
    },
  });
}

/** Every variable of a policy has its conversion. */
function toRunValues({ toRunValues: conversions }: CompiledPolicy, name: string, signals: object): object {
  return conversions.get(name)?.(signals) ?? signals;
}

function findOut(rule: CompiledRule, bench: Bench): Finding {
  if (bench.absentMask !== 0 && rule.possible(bench.absentMask) === CAN_BE_ERROR) return missing(rule, bench);
  let failed: unknown;
  try {
    if (rule.run(bench.context) === true) return TRUE;
    return isFalseForSure(rule, bench) ? FALSE : missing(rule, bench);
  } catch (error) {
    // An access to something absent is an error by CEL's own rules; the rule is then unknown.
    failed = error;
  }
  const isAbsent = rule.signalReads.some((place) => bench.absentMask & (1 << place));
  return isAbsent ? missing(rule, bench) : { result: 'unknown', why: describeError(failed) };
}

/** A rule that reads signals nobody has, or leans on a provider that is suspect. Where it could not have been true even with everything that was asked at hand, the provider it lacks was not asked on purpose, and it says nothing. */
function missing(rule: CompiledRule, bench: Bench): Finding {
  const { absentMask, indefiniteMask, suspectMask, policy } = bench;
  const skippedMask = absentMask & ~indefiniteMask;
  const readsSkipped = rule.signalReads.some((place) => skippedMask & (1 << place));
  const isInert = readsSkipped && (rule.possible(skippedMask) & CAN_BE_TRUE) === 0;
  const lostMask = isInert ? skippedMask : absentMask;
  const reads = new Set([...rule.signalReads, ...rule.outcomeReads]);
  const lost = [...reads].filter((place) => lostMask & (1 << place));
  const whys = lost.map((place) => describeLoss(place, bench));
  const doubted = isInert ? [] : rule.outcomeReads.filter((place) => suspectMask & (1 << place));
  whys.push(...doubted.map((place) => `${policy.providerIds[place]} suspect`));
  return { result: isInert ? 'inert' : 'unknown', why: whys.join(', ') };
}

function describeLoss(place: number, { policy, evidence, custody }: Bench): string {
  const id = policy.providerIds[place];
  if (id !== undefined) return `${id} ${evidence[place]?.outcome}`;
  return custody === 'none' ? 'no telemetry id' : 'custody unavailable';
}

/** `providers.<id>` is readable in an outage and under suspicion, so a condition such as `outcome == "ok" && action == "BLOCK"` is false because evidence was lost, and `!found && !suspect` because it is in doubt. It is believed only if it would be false for every definite outcome the provider could have had, and without the suspicion too. */
function isFalseForSure(rule: CompiledRule, bench: Bench): boolean {
  const openMask = bench.indefiniteMask | bench.suspectMask;
  const open = rule.outcomeReads.filter((place) => openMask & (1 << place));
  return open.length === 0 || isFalseForAll(rule, bench, open, statesIn(bench.context));
}

function isFalseForAll(
  rule: CompiledRule,
  bench: Bench,
  open: readonly number[],
  states: Readonly<Record<string, ProviderState>>,
): boolean {
  const [place, ...rest] = open;
  if (place === undefined) {
    try {
      return rule.run({ ...bench.context, providers: states }) === false;
    } catch {
      // In that state the rule would have gone on to read a signal that was lost: it is unknown.
      return false;
    }
  }
  const id = bench.policy.providerIds[place] ?? '';
  return statesPossible(place, bench).every((state) =>
    isFalseForAll(rule, bench, rest, { ...states, [id]: state }),
  );
}

/** The states that a provider could have been in, had its evidence not been lost or nobody doubted it. */
function statesPossible(place: number, { evidence, indefiniteMask, suspectMask }: Bench): ProviderState[] {
  const isLost = (indefiniteMask & (1 << place)) !== 0;
  const outcomes = isLost ? DEFINITE_OUTCOMES : [evidence[place]?.outcome ?? ''];
  const suspicions = (suspectMask & (1 << place)) !== 0 ? [false, true] : [false];
  return outcomes.flatMap((outcome) => suspicions.map((suspect) => ({ outcome, suspect })));
}

function statesIn(context: Readonly<Record<string, unknown>>): Readonly<Record<string, ProviderState>> {
  return context['providers'] as Readonly<Record<string, ProviderState>>;
}

/** Most rules are true or false, and their lines are the same every time. */
function toTrace({ source, trueTrace, falseTrace }: CompiledRule, { result, why }: Finding): RuleTrace {
  if (result === 'false') return falseTrace;
  if (result === 'true') return trueTrace;
  if (result === 'inert') return { rule: source.id, result, why };
  return { rule: source.id, result, why, on_unknown: source.on_unknown };
}

function enter(rule: CompiledRule, { result }: Finding, ledger: Ledger): void {
  const { id, reason: code, verdict, on_unknown: onUnknown } = rule.source;
  if (result === 'false' || result === 'inert') return;
  const certain = result === 'true';
  const isWaived = !certain && onUnknown === 'IGNORE';
  const contributed: Verdict = certain ? verdict : onUnknown === 'IGNORE' ? 'ALLOW' : onUnknown;
  ledger.reasons.push({ code, rule: id, verdict: contributed, providers: rule.providers, certain });
  if (isWaived) ledger.waivers.push({ code, rule: id, providers: rule.providers });
  else ledger.verdict = ledger.verdict === null ? contributed : stricterOf(ledger.verdict, contributed);
}

function byStrictness(left: Reason, right: Reason): number {
  return (
    strictnessOf(right.verdict) - strictnessOf(left.verdict) || Number(right.certain) - Number(left.certain)
  );
}

/** Says what went wrong without the values involved: the error's own text may quote them. */
function describeError(error: unknown): string {
  const code: unknown = Reflect.get(Object(error), 'code');
  if (code === UNREADABLE) return 'the IP address cannot be read';
  return code === 'no_such_key' ? 'a signal it reads is absent' : `cannot be evaluated (${String(code)})`;
}
