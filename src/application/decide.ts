import { toKeptPlace } from '../domain/activity/seen-name.ts';
import type { ReferenceData } from '../domain/contradictions/reference-data.ts';
import type { Decision, EvidenceUse } from '../domain/decision.ts';
import { toRecordedFacts } from '../domain/decision-log/recorded-facts.ts';
import { toRecordedRequest } from '../domain/decision-log/recorded-request.ts';
import { isDefinite } from '../domain/evidence.ts';
import { type CompiledPolicy, readsFact } from '../domain/policy/compile.ts';
import { evaluatePolicy } from '../domain/policy/evaluate.ts';
import type { Judgement } from '../domain/policy/judgement.ts';
import { toRequestSignals } from '../domain/policy/request-signals.ts';
import { placeReadsOf } from '../domain/policy/request-values-read.ts';
import type { SubjectFacts } from '../domain/policy/subject-fact.ts';
import { TELEMETRY_FACT, type TelemetryCustody } from '../domain/policy/telemetry-signals.ts';
import { hasText, type Subject } from '../domain/subject.ts';
import { readOrigin } from './activity/read-evidence.ts';
import type { Clock } from './clock.ts';
import {
  createGatherEvidence,
  enabledDeviceProviders,
  type Gathered,
  type ProviderSlot,
} from './evidence/gather-evidence.ts';
import type { SharedLooks } from './evidence/shared-looks.ts';
import { createAskFacts } from './facts/ask-facts.ts';
import type { ConcludeFacts, FactSource } from './facts/fact-source.ts';
import { type Span, type Tracer, toDecisionAttributes } from './tracer.ts';

/** The options of a decision besides the subject. */
export interface DecideOptions {
  /** Evidence older than this is not used; null accepts all evidence that has not expired. */
  readonly maxAgeMs: number | null;
  /**
   * A shorter deadline than the configured one; null keeps the configured one. A longer value has no effect.
   */
  readonly deadlineMs: number | null;
  /** When the request arrived, monotonic milliseconds: the deadline counts from there. Absent means now. */
  readonly receivedAtMs?: number | undefined;
  /** The caller's `traceparent` header as it came; it is ignored where nothing is traced. */
  readonly traceparent?: string | undefined;
  /** The id of the caller's API key, for statistics in this process. */
  readonly caller?: string | undefined;
  /** The lookups that the decisions of one request share. Absent shares them with whoever asks just now. */
  readonly looks?: SharedLooks | undefined;
}

/** What a decision is made of. */
export interface DecideDependencies {
  /** Every provider of the registry, in registry order: the order the policy was compiled with. */
  readonly slots: readonly ProviderSlot[];
  /** The policy in force for this subject at the moment of the call. */
  readonly policy: (subject: Subject) => CompiledPolicy;
  /** What tells facts about subjects. */
  readonly facts: readonly FactSource[];
  readonly clock: Clock;
  /** A new UUIDv7. */
  readonly newId: () => string;
  readonly deadlineMs: number;
  /** Absent knows none. */
  readonly placeOfAddress?: ReferenceData['placeOfAddress'];
  /** Null or absent traces nothing. */
  readonly tracer?: Tracer | null;
}

/**
 * Makes a decision. Never rejects because of an upstream, a store or a subject: these failures are outcomes.
 */
export type Decide = (subject: Subject, options: DecideOptions) => Decision | Promise<Decision>;

/** The share of the deadline that is reserved for judging, recording and answering, and its upper bound. */
const ANSWER_SHARE = 0.02;
const ANSWER_MS_MAX = 20;

/** What is to be decided, since when, and as a part of which trace. */
interface Asked {
  readonly subject: Subject;
  readonly startedAtMs: number;
  readonly span: Span | null;
}

/** Builds the use case that gathers evidence inside one deadline and judges it by the policy. */
export function createDecide(dependencies: DecideDependencies): Decide {
  const { slots, policy, facts, clock, tracer = null } = dependencies;
  const gatherEvidence = createGatherEvidence(slots, clock);
  const askFacts = createAskFacts(facts);
  const conclude = createConclude(dependencies, createJudge(dependencies));
  return (subject, options) => {
    const { maxAgeMs, traceparent, caller, looks } = options;
    const span = tracer?.start('decide', traceparent) ?? null;
    const startedAtMs = clock.monotonicMs();
    const deadlineAtMs = toDeadline(dependencies.deadlineMs, options, startedAtMs);
    const asked = { subject, startedAtMs, span };
    const told = askFacts({ subject, policy: policy(subject), deadlineAtMs });
    const gathered = gatherEvidence(subject, { maxAgeMs, deadlineAtMs, span, caller, ip: subject.ip, looks });
    if (!(gathered instanceof Promise) && !(told instanceof Promise)) return conclude(asked, gathered, told);
    return Promise.all([gathered, told]).then(([pieces, facts]) => conclude(asked, pieces, facts));
  };
}

/** Concludes the facts, and judges. `told` is null where no fact was asked for. */
function createConclude({ clock }: DecideDependencies, judge: Judge) {
  return (asked: Asked, gathered: readonly Gathered[], told: ConcludeFacts | null) => {
    const nowMs = clock.nowMs();
    const facts = told?.({ gathered, facts: NO_FACTS, nowMs }) ?? NO_FACTS;
    return facts instanceof Promise
      ? facts.then((late) => judge(asked, gathered, late, nowMs))
      : judge(asked, gathered, facts, nowMs);
  };
}

/** Until when evidence is waited for, monotonic milliseconds. */
export function toDeadline(
  configuredMs: number,
  { deadlineMs, receivedAtMs }: Pick<DecideOptions, 'deadlineMs' | 'receivedAtMs'>,
  startedAtMs: number,
): number {
  const budgetMs = Math.min(deadlineMs ?? configuredMs, configuredMs);
  const answerMs = Math.min(budgetMs * ANSWER_SHARE, ANSWER_MS_MAX);
  return (receivedAtMs ?? startedAtMs) + budgetMs - answerMs;
}

const NO_FACTS: SubjectFacts = {};

type Judge = (
  asked: Asked,
  gathered: readonly Gathered[],
  facts: SubjectFacts,
  decidedAtMs: number,
) => Decision;

function createJudge({ slots, policy, clock, newId, placeOfAddress }: DecideDependencies): Judge {
  const enabledDevices = enabledDeviceProviders(slots);
  return ({ subject, startedAtMs, span }, gathered, facts, decidedAtMs) => {
    const inForce = policy(subject);
    const evidence = gathered.map((piece) => toUse(piece, decidedAtMs, subject));
    const place = hasText(subject.ip) ? (placeOfAddress?.(subject.ip) ?? null) : null;
    const found = place === 'lost' ? null : place;
    const isRead = placeReadsOf(inForce).length > 0;
    const request = toRequestSignals(subject, enabledDevices, isRead ? place : null);
    const step = span?.child('policy.evaluate', 'internal');
    const judgement = evaluatePolicy(inForce, evidence, request, facts);
    step?.end({ 'riskgate.policy.hash': inForce.hash, 'riskgate.decision': judgement.verdict });
    const decision: Decision = {
      id: newId(),
      verdict: judgement.verdict,
      reasons: judgement.reasons,
      waivers: judgement.waivers,
      degraded: judgement.degraded,
      evidence,
      request: toRecordedRequest(request),
      visitor: visitorOf(gathered),
      place: toKeptPlace(readOrigin(gathered, { nowMs: decidedAtMs, place: found }).coordinates),
      custody: custodyOf(facts, inForce),
      facts: toRecordedFacts(inForce.factsNeeded, facts),
      challenge: judgement.challenge,
      trace: judgement.trace,
      policy: { id: inForce.id, hash: inForce.hash },
      decidedAtMs,
      expiresAtMs: isUnknown(inForce, facts) ? decidedAtMs : earliestExpiry(gathered, judgement, decidedAtMs),
      latencyMs: clock.monotonicMs() - startedAtMs,
    };
    span?.end(toDecisionAttributes(decision));
    return decision;
  };
}

/** A policy that came into force during the wait may read custody that was not asked for. */
function custodyOf(facts: SubjectFacts, inForce: CompiledPolicy): TelemetryCustody {
  const untold = readsFact(inForce, TELEMETRY_FACT.name) ? 'unknown' : 'none';
  // Told by custody alone, whose type it is.
  return (facts[TELEMETRY_FACT.name] as TelemetryCustody | undefined) ?? untold;
}

/** True where a fact that the policy reads is unknown as a whole. */
function isUnknown({ facts: reads }: CompiledPolicy, facts: SubjectFacts): boolean {
  for (const { fact } of reads) if ((facts[fact.name] ?? 'unknown') === 'unknown') return true;
  return false;
}

function toUse(
  { slot: { source }, evidence, origin, latencyMs }: Gathered,
  nowMs: number,
  subject: Subject,
): EvidenceUse {
  const { provider, outcome, upstreamRequestId, observedAtMs } = evidence;
  const stored = source === null ? null : evidence.signals;
  const signals = stored === null ? null : (source?.present(stored, nowMs, subject) ?? null);
  const ageMs = origin === 'none' || !isDefinite(outcome) ? 0 : Math.max(0, nowMs - observedAtMs);
  // No provider was asked about a missing id: its `not_found` is certain.
  const isMissing = origin === 'none' && outcome === 'not_found';
  const suspect = !isMissing && (source?.isSuspect() ?? false);
  const { otherNames } = evidence;
  return {
    provider,
    outcome,
    origin,
    latencyMs,
    ageMs,
    upstreamRequestId,
    signals,
    stored,
    otherNames,
    suspect,
  };
}

/** By the first provider that reports it. */
function visitorOf(gathered: readonly Gathered[]): string | null {
  for (const { slot, evidence } of gathered) {
    const visitor = evidence.signals === null ? null : (slot.source?.visitorOf(evidence.signals) ?? null);
    if (visitor !== null) return visitor;
  }
  return null;
}

function earliestExpiry(
  gathered: readonly Gathered[],
  { satisfiedSeconds }: Pick<Judgement, 'satisfiedSeconds'>,
  decidedAtMs: number,
): number {
  let earliestMs =
    satisfiedSeconds === null ? Number.POSITIVE_INFINITY : decidedAtMs + satisfiedSeconds * 1000;
  for (const { evidence } of gathered) {
    if (!isDefinite(evidence.outcome)) return decidedAtMs;
    if (evidence.expiresAtMs !== null) earliestMs = Math.min(earliestMs, evidence.expiresAtMs);
  }
  return Number.isFinite(earliestMs) ? Math.max(earliestMs, decidedAtMs) : decidedAtMs;
}
