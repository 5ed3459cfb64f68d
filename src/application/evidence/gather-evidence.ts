import type { Evidence, EvidenceOrigin, Outcome } from '../../domain/evidence.ts';
import { type Question, questionFor, type Subject, type SubjectPart } from '../../domain/subject.ts';
import type { Clock } from '../clock.ts';
import type { EvidenceSource, LookLimits, LookResult } from './evidence-source.ts';

/** One registered provider in a decision. Without a source it is disabled, and always skipped. */
export interface ProviderSlot {
  readonly id: string;
  readonly subject: SubjectPart;
  readonly source: EvidenceSource | null;
}

/** The evidence of one slot, and how long the decision waited for it. */
export interface Gathered {
  readonly evidence: Evidence;
  readonly origin: EvidenceOrigin;
  readonly latencyMs: number;
}

interface GatherOptions extends LookLimits {
  readonly clock: Clock;
  /** Monotonic milliseconds at which the answer must be complete. */
  readonly deadlineAtMs: number;
}

/**
 * Asks every slot at once and settles by the deadline, with exactly one outcome for each slot, in slot order.
 * Never rejects. Answers synchronously when all evidence is in memory.
 */
export function gatherEvidence(
  slots: readonly ProviderSlot[],
  subject: Subject,
  options: GatherOptions,
): Gathered[] | Promise<Gathered[]> {
  const startedAtMs = options.clock.monotonicMs();
  const enabledDevices = enabledDeviceProviders(slots);
  const looks = slots.map((slot) => lookAt(slot, subject, enabledDevices, options));
  const gathered: Gathered[] = [];
  const pending: { place: number; look: Promise<LookResult> }[] = [];
  looks.forEach((look, place) => {
    if (look instanceof Promise) pending.push({ place, look });
    else gathered[place] = { ...look, latencyMs: 0 };
  });
  if (pending.length === 0) return gathered;
  return awaitPending(slots, pending, gathered, startedAtMs, options);
}

/** The ids of the device APIs that are enabled. */
export function enabledDeviceProviders(slots: readonly ProviderSlot[]): readonly string[] {
  return slots.filter(({ source, subject }) => source && subject === 'device_id').map(({ id }) => id);
}

/**
 * How a provider ends that is not asked. A missing id is the same as one that it does not know: leaving it
 * out must not be better than forging it. What is there and cannot be read might have been found, so nothing
 * is known.
 */
const OUTCOME_UNASKED: Readonly<Record<Exclude<Question['kind'], 'ask'>, Outcome>> = {
  missing: 'not_found',
  skip: 'skipped',
  unreadable: 'invalid_request',
};

function lookAt(
  slot: ProviderSlot,
  subject: Subject,
  enabledDevices: readonly string[],
  options: GatherOptions,
): LookResult | Promise<LookResult> {
  const { id, source } = slot;
  if (source === null) return withoutCall(id, 'skipped', null, options.clock);
  const question = questionFor(subject, slot, enabledDevices);
  if (question.kind !== 'ask') {
    const signals = question.kind === 'missing' ? source.notFoundSignals : null;
    return withoutCall(id, OUTCOME_UNASKED[question.kind], signals, options.clock);
  }
  const { accountId, action } = subject;
  return source.look({ id: question.id, accountId, action }, options);
}

function withoutCall(
  provider: string,
  outcome: Outcome,
  signals: Evidence['signals'],
  clock: Clock,
): LookResult {
  const observedAtMs = clock.nowMs();
  const evidence = { provider, outcome, signals, observedAtMs, expiresAtMs: null, upstreamRequestId: null };
  return { evidence, origin: 'none' };
}

function awaitPending(
  slots: readonly ProviderSlot[],
  pending: readonly { place: number; look: Promise<LookResult> }[],
  gathered: Gathered[],
  startedAtMs: number,
  { clock, deadlineAtMs }: GatherOptions,
): Promise<Gathered[]> {
  const { promise, resolve } = Promise.withResolvers<Gathered[]>();
  const elapsedMs = () => clock.monotonicMs() - startedAtMs;
  let waiting = pending.length;
  // At the deadline, slots without an answer time out. Their calls go on for later requests, bounded by their
  // own timeout.
  const endAtDeadline = () => {
    for (const { place } of pending)
      gathered[place] ??= { ...lost(slots[place]?.id ?? '', 'timeout', clock), latencyMs: elapsedMs() };
    resolve(gathered);
  };
  // Answers that arrived in time are read first, even if this process was too busy to read them sooner.
  const waitMs = Math.max(0, deadlineAtMs - clock.monotonicMs());
  const timer = setTimeout(() => setImmediate(endAtDeadline), waitMs);
  const settle = (place: number, result: LookResult) => {
    gathered[place] ??= { ...result, latencyMs: elapsedMs() };
    waiting -= 1;
    if (waiting > 0) return;
    clearTimeout(timer);
    resolve(gathered);
  };
  for (const { place, look } of pending) {
    look.then(
      (result) => settle(place, result),
      // A source never rejects. If one does, only its evidence is lost, not the decision.
      () => settle(place, lost(slots[place]?.id ?? '', 'unavailable', clock)),
    );
  }
  return promise;
}

function lost(provider: string, outcome: 'timeout' | 'unavailable', clock: Clock): LookResult {
  const observedAtMs = clock.nowMs();
  const evidence = {
    provider,
    outcome,
    signals: null,
    observedAtMs,
    expiresAtMs: null,
    upstreamRequestId: null,
  };
  return { evidence, origin: 'miss' };
}
