import { acceptedPlaces } from '../../domain/activity/accepted-places.ts';
import { type ActivityPart, isNamedByEvidence, isPlace } from '../../domain/activity/activity-parts.ts';
import type { SeenNames } from '../../domain/activity/activity-state.ts';
import type { ActivityView } from '../../domain/activity/activity-view.ts';
import { HARDWARE_USE } from '../../domain/contradictions/identity-reuse.ts';
import { ACCEPTED_PLACES } from '../../domain/contradictions/travel.ts';
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
  hashesOf,
  type NamedSubject,
  type NameSubject,
  withEvidence,
  withSeenPlace,
} from './subject-names.ts';

/** What activity is told with. */
export interface ActivityDependencies {
  readonly store: ActivityStore;
  /** Under each hash key that activity is kept under, the one in force first. It is read under all of them. */
  readonly hashes: readonly [ActivityHashes, ...ActivityHashes[]];
  readonly clock: Clock;
}

/**
 * What is known of one part under one hash key. It is read early and late with one object, which is told the
 * time and the values of the request each time: every decision has several of them.
 */
type Kept = { -readonly [Name in keyof ActivityView]: ActivityView[Name] };

/** What is known of one part. The early signals are read already: later requests change the state. */
interface Taken {
  readonly kept: readonly Kept[];
  readonly values: PartValues;
}

/** What is told of one part: null where it is not in the request, or unknown. */
type Told = Taken | null | Promise<Taken | null>;

type Take = (part: PartPlan, named: readonly NamedSubject[]) => Told;

/** What one decision asked for. */
interface Asked {
  readonly subject: Subject;
  readonly plan: readonly PartPlan[];
  readonly named: readonly NamedSubject[];
  /** Monotonic milliseconds. */
  readonly deadlineAtMs: number;
}

/** Builds what asks for the parts that a policy reads, and then reads them by the evidence. */
export function createAskActivity(
  dependencies: ActivityDependencies,
  nameSubject: NameSubject,
): FactSource['ask'] {
  const { hashes, clock } = dependencies;
  const take = createTake(dependencies);
  const plans = new WeakMap<CompiledPolicy, readonly PartPlan[]>();
  const planOf = (policy: CompiledPolicy): readonly PartPlan[] => {
    let plan = plans.get(policy);
    if (plan === undefined) {
      plan = toActivityPlan(policy);
      plans.set(policy, plan);
    }
    return plan;
  };
  /** What is there in time; null in the place of what is not. */
  const inTime = async (
    asked: readonly Told[],
    { deadlineAtMs }: Asked,
  ): Promise<readonly (Taken | null)[]> => {
    const settled = asked.map((told) => (told instanceof Promise ? null : told));
    const wait = async (told: Told, place: number): Promise<void> => {
      if (told instanceof Promise) settled[place] = await told;
    };
    const all = Promise.all(asked.map(wait)).then(() => true);
    const isWhole = await settleBy(all, deadlineAtMs - clock.monotonicMs(), false);
    // What comes later must not change what a decision was made with.
    return isWhole ? settled : [...settled];
  };

  const toConclude = (asked: Asked, taken: readonly (Taken | null)[]): ConcludeFacts => {
    return (known) => {
      // Where the request comes from is kept when it is answered.
      const origin = readOrigin(known.gathered, { nowMs: known.nowMs, place: null });
      const named = asked.named.map(({ names, seen, keyPlace }) => ({
        names: withEvidence(names, origin, keyPlace, hashes[keyPlace]?.keyId ?? ''),
        seen: withSeenPlace(seen, origin),
        keyPlace,
      }));
      const view = { subject: asked.subject, plan: asked.plan, named, origin, known };
      const all: Told[] = [];
      for (const plan of asked.plan)
        all.push(isLatePart(plan) ? take(plan, named) : (taken[all.length] ?? null));
      return isAtHand(all)
        ? concludeAll(view, all)
        : inTime(all, asked).then((settled) => concludeAll(view, settled));
    };
  };

  return ({ subject, policy, deadlineAtMs }) => {
    const named = nameSubject(subject);
    const asked: Asked = { subject, plan: planOf(policy), named, deadlineAtMs };
    const taken = asked.plan.map((part) => (isLatePart(part) ? null : take(part, named)));
    return isAtHand(taken)
      ? toConclude(asked, taken)
      : inTime(taken, asked).then((settled) => toConclude(asked, settled));
  };
}

function isLatePart({ part }: PartPlan): boolean {
  return isNamedByEvidence(part);
}

/** Adds what the request brings to one part, and reads it, under every hash key. */
function createTake({ store, clock }: ActivityDependencies): Take {
  const read = ({ early }: PartPlan, kept: readonly (Kept | null)[]): Taken | null => {
    if (kept.length === 0 || !kept.every((each) => each !== null)) return null;
    if (early.length === 0) return { kept, values: {} };
    const nowSeconds = Math.floor(clock.nowMs() / 1000);
    for (const view of kept) view.nowSeconds = nowSeconds;
    return { kept, values: readSignals(early, kept, {}) };
  };
  return (plan, named) => {
    const { part } = plan;
    const lacksOtherNames = hasFewerNames(part, named);
    const kept: (Kept | null)[] = [];
    let waits: Promise<void>[] | null = null;
    for (const subject of named) {
      for (const hash of hashesOf(subject.names, part)) {
        const entity = { part, hash, lacksOtherNames };
        const told = store.take({ entity, values: subject.seen, acceptance: null, measures: NO_MEASURES });
        if (told instanceof Promise) {
          waits ??= [];
          waits.push(keepLater(told, subject, kept));
        } else kept.push(toKept(told, subject));
      }
    }
    return waits === null ? read(plan, kept) : Promise.all(waits).then(() => read(plan, kept));
  };
}

const NO_MEASURES: readonly number[] = [];

/** Keeps the place of what is not there yet. */
function keepLater(
  told: Promise<KnownActivity | null>,
  subject: NamedSubject,
  kept: (Kept | null)[],
): Promise<void> {
  const place = kept.push(null) - 1;
  return told.then((known) => {
    kept[place] = toKept(known, subject);
  });
}

function toKept(known: KnownActivity | null, { seen, keyPlace }: NamedSubject): Kept | null {
  if (known === null) return null;
  return { state: known.state, sinceSeconds: known.sinceSeconds, nowSeconds: 0, keyPlace, own: seen };
}

/** True where evidence was asked for by somebody who did not know every key. Ids have a name under each. */
function hasFewerNames(part: ActivityPart, named: readonly NamedSubject[]): boolean {
  if (named.length < 2 || !isNamedByEvidence(part)) return false;
  const [inForce, ...others] = named as readonly [NamedSubject, ...NamedSubject[]];
  const { length } = hashesOf(inForce.names, part);
  return others.some(({ names }) => hashesOf(names, part).length < length);
}

function isAtHand<Value>(values: readonly (Value | Promise<Value>)[]): values is readonly Value[] {
  return !values.some((value) => value instanceof Promise);
}

/** No policy reads it, so that it may have any shape. Empty where the account has no place yet. */
function toPlaces(views: readonly ActivityView[]): SubjectFacts[string] {
  return acceptedPlaces(views) as unknown as SubjectFacts[string];
}

interface View extends Omit<Asked, 'deadlineAtMs'> {
  readonly origin: EvidenceOrigin;
  readonly known: KnownEvidence;
}

function concludeAll(view: View, taken: readonly (Taken | null)[]): SubjectFacts {
  const { plan, named, known, origin } = view;
  const nowSeconds = Math.floor(known.nowMs / 1000);
  const facts: Record<string, SubjectFacts[string]> = {};
  const owns = named.map(({ seen }) => toOwn(seen, origin));
  let place = 0;
  for (const { part, fact, late, besides, more } of plan) {
    const found = taken[place] ?? null;
    place += 1;
    if (found === null) {
      facts[fact] = lacks(view, part) ? 'none' : 'unknown';
      if (besides !== null) facts[besides] = facts[fact];
      continue;
    }
    const { kept } = found;
    for (const each of kept) {
      each.nowSeconds = nowSeconds;
      each.own = owns[each.keyPlace] ?? [];
    }
    const values = readSignals(late, kept, found.values);
    facts[fact] = values;
    if (besides === ACCEPTED_PLACES) facts[besides] = toPlaces(kept);
    if (besides === HARDWARE_USE) facts[besides] = readSignals(more, kept, { ...values });
  }
  return facts;
}

/** The values of the request. What evidence would have told of its place is not known where some of it is lost. */
function toOwn(seen: SeenNames, { isLost }: EvidenceOrigin): ActivityView['own'] {
  return isLost ? seen.map((name, kind) => name ?? (isPlace(kind) ? undefined : null)) : seen;
}

/** True where the request is certain to lack the part. */
function lacks({ subject, named, origin }: View, part: ActivityPart): boolean {
  if (part === 'visitor' && origin.isLost) return false;
  if (part === 'hardware' && origin.isHardwareLost) return false;
  if (part === 'ip' && subject.ipUnreadable !== undefined) return false;
  return named.every(({ names }) => hashesOf(names, part).length === 0);
}
