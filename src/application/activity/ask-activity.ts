import { type ActivityPart, isPlace } from '../../domain/activity/activity-parts.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import type { SubjectFacts } from '../../domain/policy/subject-fact.ts';
import type { Subject } from '../../domain/subject.ts';
import type { Clock } from '../clock.ts';
import type { ConcludeFacts, FactSource, KnownEvidence } from '../facts/fact-source.ts';
import { settleBy } from '../facts/settle-by.ts';
import { type PartPlan, type PartValues, readSignals, toActivityPlan } from './activity-plan.ts';
import type { ActivityStore, KnownActivity } from './activity-store.ts';
import { type EvidenceOrigin, readOrigin } from './read-evidence.ts';
import {
  type ActivityHashes,
  type SeenNames,
  type SubjectNames,
  toSeenNames,
  toSightings,
  toSubjectNames,
} from './subject-names.ts';

/** What activity is told with. */
export interface ActivityDependencies {
  readonly store: ActivityStore;
  /**
   * Under each hash key that activity is kept under, the one in force first. It is read under the one that
   * came first, whose place says nothing of that.
   */
  readonly hashes: readonly [ActivityHashes, ...ActivityHashes[]];
  readonly clock: Clock;
}

/** A subject under one hash key, and the values that its request is seen with. */
interface Named {
  readonly names: SubjectNames;
  readonly seen: SeenNames;
}

/** What is known of one part. The early signals are read already: later requests change the state. */
interface Taken {
  readonly known: KnownActivity;
  /** The values of the request under the same hash key. */
  readonly seen: SeenNames;
  readonly values: PartValues;
}

/** Null where the part is not in the request, or unknown. */
type Take = (part: PartPlan, named: readonly Named[]) => Taken | null | Promise<Taken | null>;

/** What one decision asked for. */
interface Asked {
  readonly subject: Subject;
  readonly plan: readonly PartPlan[];
  readonly named: readonly Named[];
  /** Monotonic milliseconds. */
  readonly deadlineAtMs: number;
}

const NO_PLACE = { country: null, asn: null };

/** Builds what asks for the parts that a policy reads, and then reads them by the evidence. */
export function createAskActivity(dependencies: ActivityDependencies): FactSource['ask'] {
  const { hashes, clock } = dependencies;
  const take = createTake(dependencies);
  let last: { readonly policy: CompiledPolicy; readonly plan: readonly PartPlan[] } | null = null;
  const within = <Value>(promise: Promise<Value>, { deadlineAtMs }: Asked): Promise<Value | null> =>
    settleBy<Value | null>(promise, deadlineAtMs - clock.monotonicMs(), null);

  const toConclude = (asked: Asked, taken: readonly (Taken | null)[]): ConcludeFacts => {
    return (known) => {
      const origin = readOrigin(known.gathered);
      const named = asked.named.map(({ names }) => toNamed({ ...names, visitor: origin.visitor }, origin));
      const view = { ...asked, named, origin, known };
      const place = asked.plan.findIndex(({ part }) => part === 'visitor');
      const visitorPlan = asked.plan[place];
      if (visitorPlan === undefined) return concludeAll(view, taken);
      const visitor = take(visitorPlan, named);
      return visitor instanceof Promise
        ? within(visitor, asked).then((late) => concludeAll(view, taken.with(place, late)))
        : concludeAll(view, taken.with(place, visitor));
    };
  };

  return ({ subject, policy, deadlineAtMs }) => {
    if (last?.policy !== policy) last = { policy, plan: toActivityPlan(policy) };
    const named = hashes.map((under) => toNamed(toSubjectNames(subject, under), NO_PLACE));
    const asked: Asked = { subject, plan: last.plan, named, deadlineAtMs };
    const taken: (Taken | null)[] = [];
    const pending: Promise<void>[] = [];
    asked.plan.forEach((part, place) => {
      // The visitor is known by evidence alone.
      const told = part.part === 'visitor' ? null : take(part, named);
      taken.push(told instanceof Promise ? null : told);
      if (told instanceof Promise)
        pending.push(
          within(told, asked).then((late) => {
            taken[place] = late;
          }),
        );
    });
    return pending.length === 0
      ? toConclude(asked, taken)
      : Promise.all(pending).then(() => toConclude(asked, taken));
  };
}

function toNamed(names: SubjectNames, place: Parameters<typeof toSeenNames>[1]): Named {
  return { names, seen: toSeenNames(names, place) };
}

/** Adds what the request brings to one part under every hash key, and reads it where most is known. */
function createTake({ store, clock }: ActivityDependencies): Take {
  const read = ({ early }: PartPlan, { seen }: Named, known: KnownActivity | null): Taken | null => {
    if (known === null) return null;
    const view = { ...known, nowSeconds: Math.floor(clock.nowMs() / 1000), own: seen };
    return { known, seen, values: readSignals(early, view, {}) };
  };
  const takeUnder = (plan: PartPlan, under: Named): Taken | null | Promise<Taken | null> => {
    const { part } = plan;
    const hash = under.names[part];
    if (hash === null) return null;
    const values = toSightings(part, under.seen);
    const told = store.take({ entity: { part, hash }, values, acceptance: null, measures: [] });
    return told instanceof Promise ? told.then((known) => read(plan, under, known)) : read(plan, under, told);
  };
  return (plan, named) => {
    const taken = named.map((under) => takeUnder(plan, under));
    if (taken.length === 1) return taken[0] ?? null;
    return Promise.all(taken.map((each) => Promise.resolve(each))).then(oldestOf);
  };
}

/**
 * The one that was first seen earliest: all that is kept under a key that came later is kept there too. Null
 * where one of them is unknown, as it may have been that one.
 */
function oldestOf(taken: readonly (Taken | null)[]): Taken | null {
  let oldest: Taken | null = null;
  for (const each of taken) {
    if (each === null) return null;
    if (oldest === null || each.known.state.firstSeconds < oldest.known.state.firstSeconds) oldest = each;
  }
  return oldest;
}

interface View extends Asked {
  readonly origin: EvidenceOrigin;
  readonly known: KnownEvidence;
}

function concludeAll(view: View, taken: readonly (Taken | null)[]): SubjectFacts {
  const { plan, named, known, origin } = view;
  const nowSeconds = Math.floor(known.nowMs / 1000);
  const facts: Record<string, SubjectFacts[string]> = {};
  plan.forEach(({ part, fact, late }, place) => {
    const found = taken[place] ?? null;
    if (found === null) {
      facts[fact] = lacks(view, part) ? 'none' : 'unknown';
      return;
    }
    const own = withPlace(found.seen, named[0]?.seen ?? [], origin);
    facts[fact] = readSignals(late, { ...found.known, nowSeconds, own }, found.values);
  });
  return facts;
}

/**
 * The values of the request with what evidence told of its place, which no hash key changes. What evidence
 * would have told is not known where some of it is lost.
 */
function withPlace(seen: SeenNames, whole: SeenNames, { isLost }: EvidenceOrigin) {
  return seen.map(
    (name, kind) => name ?? (isPlace(kind) ? (whole[kind] ?? (isLost ? undefined : null)) : null),
  );
}

/** True where the request is certain to lack the part. */
function lacks({ subject, named, origin }: View, part: ActivityPart): boolean {
  if (part === 'visitor' && origin.isLost) return false;
  if (part === 'ip' && subject.ipUnreadable !== undefined) return false;
  return named[0]?.names[part] === null;
}
