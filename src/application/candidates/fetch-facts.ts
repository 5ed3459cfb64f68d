import { factsFor } from '../../domain/candidates/judge-candidate.ts';
import type { Decision } from '../../domain/decision.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import type { SubjectFacts } from '../../domain/policy/subject-fact.ts';
import { SUBJECT_FACTS } from '../../domain/policy/subject-facts.ts';
import { TELEMETRY_FACT } from '../../domain/policy/telemetry-signals.ts';
import type { Subject } from '../../domain/subject.ts';
import type { Clock } from '../clock.ts';
import type { Decide } from '../decide.ts';
import type { Gathered, ProviderSlot } from '../evidence/gather-evidence.ts';
import { createAskFacts } from '../facts/ask-facts.ts';
import type { ConcludeFacts, FactSource } from '../facts/fact-source.ts';
import type { PlannedCandidate, PlansFor } from './plan-candidates.ts';

/** What was asked for the candidates of one decision. */
export interface FetchedFacts {
  /** Settles when all is there that will be; null where it is there already. Never rejects. */
  readonly pending: Promise<void> | null;
  /** What was told; `late` where it was not there in time, undefined for a candidate that nothing was asked for. */
  of(planned: PlannedCandidate): SubjectFacts | 'late' | undefined;
}

/**
 * Asks for what candidates with `fetch` read and the live policy does not ask for: at the same time as for the live
 * policy, since a decision is counted itself when it is answered, and apart from it, so that nothing it reads or
 * waits for is another.
 */
export interface CandidateFetch {
  /** The same decisions, for which candidates ask beside. */
  decideWith(decide: Decide, plansFor: PlansFor): Decide;
  /** To be called before the decision is counted itself; null where nothing was asked for it. */
  conclude(decision: Decision, subject: Subject): FetchedFacts | null;
}

interface FetchOptions {
  readonly slots: readonly ProviderSlot[];
  /** Those of the live policy in their order, without custody. */
  readonly sources: readonly FactSource[];
  /** Each time that it is asked is a use of the telemetry id. */
  readonly custody: FactSource;
  /** The policy that decides of this subject. */
  readonly live: (subject: Subject) => CompiledPolicy;
  readonly clock: Clock;
  readonly deadlineMs: number;
}

type AskFacts = ReturnType<typeof createAskFacts>;

/** What one candidate asked for. */
interface Asked {
  readonly planned: PlannedCandidate;
  /** Undefined until it is there; null where it failed, or where nothing tells it. */
  conclude: ConcludeFacts | null | undefined;
  /** Null where it is there already. */
  pending: Promise<void> | null;
}

/** Builds it; see CandidateFetch. */
export function createCandidateFetch(options: FetchOptions): CandidateFetch {
  const { live, clock, deadlineMs } = options;
  const askerOf = createAskers(options);
  const asked = new WeakMap<Decision, readonly Asked[]>();
  return {
    decideWith: (decide, plansFor) => (subject, given) => {
      const fetching = plansFor(live(subject).hash).filter(({ isFetching }) => isFetching);
      const made = decide(subject, given);
      if (fetching.length === 0) return made;
      const deadlineAtMs = clock.monotonicMs() + deadlineMs;
      const all = fetching.map((planned) => {
        const { policy } = planned;
        return startAsking(planned, () => askerOf(planned)({ subject, policy, deadlineAtMs }));
      });
      const note = (decision: Decision) => {
        asked.set(decision, all);
        return decision;
      };
      return made instanceof Promise ? made.then(note) : note(made);
    },
    conclude: (decision, subject) => {
      const all = asked.get(decision);
      return all === undefined ? null : concludeAll(all, decision, subject, options);
    },
  };
}

/** Custody is asked once for all candidates, and not where the live policy has asked for it. */
function createAskers({ sources, custody }: FetchOptions): (planned: PlannedCandidate) => AskFacts {
  const askers = new WeakMap<PlannedCandidate, AskFacts>();
  const used = new WeakMap<Subject, ReturnType<FactSource['ask']>>();
  const once: FactSource = {
    names: custody.names,
    ask: (question) => {
      let use = used.get(question.subject);
      if (use === undefined) {
        const told = custody.ask(question);
        use = told instanceof Promise ? told.then(concludeOnce) : concludeOnce(told);
        used.set(question.subject, use);
      }
      return use;
    },
  };
  return (planned) => {
    let asker = askers.get(planned);
    if (asker === undefined) {
      const wanted = namesToAsk(planned);
      const all = [once, ...sources];
      asker = createAskFacts(all.filter(({ names }) => names.some((name) => wanted.has(name))));
      askers.set(planned, asker);
    }
    return asker;
  };
}

/** All candidates of a decision know the same. */
function concludeOnce(conclude: ConcludeFacts): ConcludeFacts {
  let told: ReturnType<ConcludeFacts> | undefined;
  return (known) => {
    told ??= conclude(known);
    return told;
  };
}

/** The facts that some unfetched signal is of, and what those are told by. */
function namesToAsk({ policy, live, unfetched }: PlannedCandidate): ReadonlySet<string> {
  const isOf = (fact: string) => unfetched.some((name) => name === fact || name.startsWith(`${fact}.`));
  const facts = SUBJECT_FACTS.filter(({ name }) => isOf(name));
  const names = new Set(facts.map(({ name }) => name));
  for (const { fact, paths } of policy.facts)
    if (names.has(fact.name)) for (const need of fact.needsOf?.(paths) ?? []) names.add(need);
  if (live.factsAsked.includes(TELEMETRY_FACT.name)) names.delete(TELEMETRY_FACT.name);
  return names;
}

/** Never throws, and its promise never rejects: what fails is of the candidate alone. */
function startAsking(planned: PlannedCandidate, ask: () => ReturnType<AskFacts>): Asked {
  const asked: Asked = { planned, conclude: null, pending: null };
  attempt(() => {
    const told = ask();
    if (!(told instanceof Promise)) {
      asked.conclude = told;
      return;
    }
    const settle = (conclude: ConcludeFacts | null) => {
      asked.conclude = conclude;
    };
    asked.conclude = undefined;
    asked.pending = told.then(settle, () => settle(null));
  });
  return asked;
}

function concludeAll(
  all: readonly Asked[],
  decision: Decision,
  subject: Subject,
  { slots }: FetchOptions,
): FetchedFacts {
  const gathered = toGathered(decision, slots);
  const told = new Map<PlannedCandidate, SubjectFacts | 'late'>();
  const waiting: Promise<void>[] = [];
  for (const asked of all) {
    const { planned, pending } = asked;
    const facts = factsFor(planned.policy, decision, subject);
    const conclude = () => asked.conclude?.({ gathered, facts, nowMs: decision.decidedAtMs });
    const put = (found: SubjectFacts | undefined) => {
      if (found !== undefined) told.set(planned, found);
    };
    told.set(planned, 'late');
    if (asked.conclude !== undefined)
      attempt(() => {
        const found = conclude();
        if (found instanceof Promise) waiting.push(found.then(put, () => {}));
        else put(found);
      });
    // What evidence names is asked for only then, and would count this decision too.
    else if (pending !== null && !planned.isNamedByEvidence)
      waiting.push(pending.then(conclude).then(put, () => {}));
  }
  const pending = waiting.length === 0 ? null : Promise.all(waiting).then(() => {});
  return { pending, of: (planned) => told.get(planned) };
}

/** Runs what must not touch the decision: whatever a source throws, its facts are then not there. */
function attempt(run: () => void): void {
  try {
    run();
  } catch {
    // A source never throws. If one does, the candidate has no facts, and its result says so.
  }
}

/** A decision has one piece for each slot, in slot order. */
const NO_PIECE = {
  outcome: 'skipped',
  origin: 'none',
  stored: null,
  upstreamRequestId: null,
  latencyMs: 0,
  ageMs: 0,
} as const;

/** The evidence of a decision as it was gathered. */
function toGathered(
  { evidence, decidedAtMs }: Decision,
  slots: readonly ProviderSlot[],
): readonly Gathered[] {
  return slots.map((slot, place) => {
    const use = evidence[place] ?? NO_PIECE;
    const { outcome, stored: signals, upstreamRequestId, origin, latencyMs, ageMs } = use;
    const observedAtMs = decidedAtMs - ageMs;
    const piece = { provider: slot.id, outcome, signals, observedAtMs, expiresAtMs: null, upstreamRequestId };
    return { slot, evidence: piece, origin, latencyMs };
  });
}
