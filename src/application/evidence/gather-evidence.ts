import { type Evidence, type EvidenceOrigin, isDefinite, type Outcome } from '../../domain/evidence.ts';
import { type Question, questionFor, type Subject, type SubjectPart } from '../../domain/subject.ts';
import type { Clock } from '../clock.ts';
import type { EvidenceSource, LookLimits, LookResult } from './evidence-source.ts';
import type { SharedLooks } from './shared-looks.ts';

/** One registered provider in a decision. Without a source it is disabled, and always skipped. */
export interface ProviderSlot {
  readonly id: string;
  readonly subject: SubjectPart;
  readonly source: EvidenceSource | null;
}

/** The evidence of one slot, and how long the decision waited for it. */
export interface Gathered {
  readonly slot: ProviderSlot;
  readonly evidence: Evidence;
  readonly origin: EvidenceOrigin;
  readonly latencyMs: number;
}

/**
 * True where what this evidence would have told is lost: there was no definite answer, or a `not_found` that its
 * provider gives for every id now. A missing id was asked of nobody, and what is said of it is certain.
 */
export function isEvidenceLost({
  slot: { source },
  evidence: { outcome },
  origin,
}: Pick<Gathered, 'slot' | 'origin'> & { readonly evidence: Pick<Evidence, 'outcome'> }): boolean {
  if (!isDefinite(outcome)) return true;
  return outcome === 'not_found' && origin !== 'none' && source?.isSuspect() === true;
}

interface GatherLimits extends LookLimits {
  /** Monotonic milliseconds at which the answer must be complete. */
  readonly deadlineAtMs: number;
  /** Absent where the decision shares its lookups with no other of its request. */
  readonly looks?: SharedLooks | undefined;
}

/**
 * Asks every slot at once and settles by the deadline, with exactly one outcome for each slot, in slot order.
 * Never rejects. Answers synchronously when all evidence is in memory.
 */
type GatherEvidence = (
  subject: Subject,
  limits: GatherLimits,
) => readonly Gathered[] | Promise<readonly Gathered[]>;

/** A slot whose evidence is still to come. */
interface Pending {
  readonly piece: Writable<Gathered>;
  readonly look: Promise<LookResult>;
}

type Writable<Value> = { -readonly [Name in keyof Value]: Value[Name] };

/** Builds the use case over the providers of the registry. */
export function createGatherEvidence(slots: readonly ProviderSlot[], clock: Clock): GatherEvidence {
  const enabledDevices = enabledDeviceProviders(slots);
  return (subject, limits) => {
    const startedAtMs = clock.monotonicMs();
    const gathered: Gathered[] = [];
    let pending: Pending[] | null = null;
    for (const slot of slots) {
      const look = lookAt(slot, subject, enabledDevices, limits, clock);
      // Until it is there, evidence is lost.
      const { evidence, origin } = look instanceof Promise ? lost(slot, 'timeout', clock) : look;
      const piece: Writable<Gathered> = { slot, evidence, origin, latencyMs: 0 };
      gathered.push(piece);
      if (look instanceof Promise) {
        pending ??= [];
        pending.push({ piece, look });
      }
    }
    if (pending === null) return gathered;
    return awaitPending(pending, startedAtMs, limits.deadlineAtMs, clock).then(() => gathered);
  };
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
  limits: GatherLimits,
  clock: Clock,
): LookResult | Promise<LookResult> {
  const { source } = slot;
  if (source === null) return withoutCall(slot, 'skipped', null, clock);
  const question = questionFor(subject, slot, enabledDevices);
  if (question.kind !== 'ask') {
    const signals = question.kind === 'missing' ? source.notFoundSignals : null;
    return withoutCall(slot, OUTCOME_UNASKED[question.kind], signals, clock);
  }
  const { accountId, action } = subject;
  const query = { id: question.id, accountId, action };
  return limits.looks?.look(source, query, limits) ?? source.look(query, limits);
}

/**
 * Resolves when every piece has its evidence, or at the deadline. Calls of slots without an answer go on for
 * later requests, bounded by their own timeout.
 */
function awaitPending(
  pending: readonly Pending[],
  startedAtMs: number,
  deadlineAtMs: number,
  clock: Clock,
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const waiting = new Set<Writable<Gathered>>();
  const put = (piece: Writable<Gathered>, { evidence, origin }: LookResult) => {
    piece.evidence = evidence;
    piece.origin = origin;
    piece.latencyMs = clock.monotonicMs() - startedAtMs;
  };
  const endAtDeadline = () => {
    for (const piece of waiting) put(piece, lost(piece.slot, 'timeout', clock));
    waiting.clear();
    resolve();
  };
  // Answers that arrived in time are read first, even if this process was too busy to read them sooner.
  const waitMs = Math.max(0, deadlineAtMs - clock.monotonicMs());
  const timer = setTimeout(() => setImmediate(endAtDeadline), waitMs);
  const settle = (piece: Writable<Gathered>, result: LookResult) => {
    if (!waiting.delete(piece)) return;
    put(piece, result);
    if (waiting.size > 0) return;
    clearTimeout(timer);
    resolve();
  };
  for (const { piece, look } of pending) {
    waiting.add(piece);
    look.then(
      (result) => settle(piece, result),
      // A source never rejects. If one does, only its evidence is lost, not the decision.
      () => settle(piece, lost(piece.slot, 'unavailable', clock)),
    );
  }
  return promise;
}

/** Evidence that was asked for and is not there. */
function lost(slot: ProviderSlot, outcome: 'timeout' | 'unavailable', clock: Clock): LookResult {
  return { evidence: createEvidence(slot, outcome, null, clock), origin: 'miss' };
}

function withoutCall(
  slot: ProviderSlot,
  outcome: Outcome,
  signals: Evidence['signals'],
  clock: Clock,
): LookResult {
  return { evidence: createEvidence(slot, outcome, signals, clock), origin: 'none' };
}

function createEvidence(
  { id: provider }: ProviderSlot,
  outcome: Outcome,
  signals: Evidence['signals'],
  clock: Clock,
): Evidence {
  const observedAtMs = clock.nowMs();
  return { provider, outcome, signals, observedAtMs, expiresAtMs: null, upstreamRequestId: null };
}
