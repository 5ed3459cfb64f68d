import { acceptedPlaces } from '../../domain/activity/accepted-places.ts';
import { type ActivityPart, isNamedByEvidence, isPlace } from '../../domain/activity/activity-parts.ts';
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
import type { ActivityEntity, ActivityStore, KnownActivity } from './activity-store.ts';
import { type EvidenceOrigin, readOrigin } from './read-evidence.ts';
import {
  type ActivityHashes,
  hashesOf,
  type NamedSubject,
  type NameSubject,
  type SeenNames,
  toSightings,
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

/** What is known of one part under one hash key. */
interface Kept {
  readonly known: KnownActivity;
  /** The values of the request under the same hash key. */
  readonly seen: SeenNames;
  readonly keyPlace: number;
}

/** What is known of one part. The early signals are read already: later requests change the state. */
interface Taken {
  readonly kept: readonly Kept[];
  readonly values: PartValues;
}

/** Null where the part is not in the request, or unknown. */
type Take = (part: PartPlan, named: readonly NamedSubject[]) => Taken | null | Promise<Taken | null>;

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
  const within = <Value>(promise: Promise<Value>, { deadlineAtMs }: Asked): Promise<Value | null> =>
    settleBy<Value | null>(promise, deadlineAtMs - clock.monotonicMs(), null);

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
      const all: (Taken | null | Promise<Taken | null>)[] = [];
      for (const plan of asked.plan) {
        const told = isLatePart(plan) ? take(plan, named) : (taken[all.length] ?? null);
        all.push(told instanceof Promise ? within(told, asked) : told);
      }
      return isAtHand(all)
        ? concludeAll(view, all)
        : Promise.all(all.map((each) => Promise.resolve(each))).then((late) => concludeAll(view, late));
    };
  };

  return ({ subject, policy, deadlineAtMs }) => {
    const named = nameSubject(subject);
    const asked: Asked = { subject, plan: planOf(policy), named, deadlineAtMs };
    const taken: (Taken | null)[] = [];
    const pending: Promise<void>[] = [];
    for (const part of asked.plan) {
      const place = taken.length;
      const told = isLatePart(part) ? null : take(part, named);
      taken.push(told instanceof Promise ? null : told);
      if (told instanceof Promise)
        pending.push(
          within(told, asked).then((late) => {
            taken[place] = late;
          }),
        );
    }
    return pending.length === 0
      ? toConclude(asked, taken)
      : Promise.all(pending).then(() => toConclude(asked, taken));
  };
}

function isLatePart({ part }: PartPlan): boolean {
  return isNamedByEvidence(part);
}

/** Adds what the request brings to one part, and reads it, under every hash key. */
function createTake({ store, clock }: ActivityDependencies): Take {
  const takeUnder = (entity: ActivityEntity, under: NamedSubject): Kept | null | Promise<Kept | null> => {
    const values = toSightings(entity.part, under.seen);
    const told = store.take({ entity, values, acceptance: null, measures: [] });
    return told instanceof Promise ? told.then((known) => toKept(known, under)) : toKept(told, under);
  };
  const read = ({ early }: PartPlan, kept: readonly (Kept | null)[]): Taken | null => {
    if (kept.length === 0 || !kept.every((each) => each !== null)) return null;
    const nowSeconds = Math.floor(clock.nowMs() / 1000);
    const views = kept.map((each) => toView(each, nowSeconds, each.seen));
    return { kept, values: readSignals(early, views, {}) };
  };
  return (plan, named) => {
    const { part } = plan;
    const lacksOtherNames = hasFewerNames(part, named);
    const kept: (Kept | null | Promise<Kept | null>)[] = [];
    for (const each of named)
      for (const hash of hashesOf(each.names, part))
        kept.push(takeUnder({ part, hash, lacksOtherNames }, each));
    return isAtHand(kept)
      ? read(plan, kept)
      : Promise.all(kept.map((each) => Promise.resolve(each))).then((late) => read(plan, late));
  };
}

/** True where evidence was asked for by somebody who did not know every key. Ids have a name under each. */
function hasFewerNames(part: ActivityPart, [inForce, ...others]: readonly NamedSubject[]): boolean {
  if (inForce === undefined || others.length === 0 || !isNamedByEvidence(part)) return false;
  const { length } = hashesOf(inForce.names, part);
  return others.some(({ names }) => hashesOf(names, part).length < length);
}

function isAtHand<Value>(values: readonly (Value | Promise<Value>)[]): values is readonly Value[] {
  return !values.some((value) => value instanceof Promise);
}

function toKept(known: KnownActivity | null, { seen, keyPlace }: NamedSubject): Kept | null {
  return known === null ? null : { known, seen, keyPlace };
}

function toView({ known, keyPlace }: Kept, nowSeconds: number, own: ActivityView['own']): ActivityView {
  return { state: known.state, sinceSeconds: known.sinceSeconds, nowSeconds, keyPlace, own };
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
  plan.forEach(({ part, fact, late, besides, more }, place) => {
    const found = taken[place] ?? null;
    if (found === null) {
      facts[fact] = lacks(view, part) ? 'none' : 'unknown';
      if (besides !== null) facts[besides] = facts[fact];
      return;
    }
    const views = found.kept.map((kept) =>
      toView(kept, nowSeconds, withPlace(kept.seen, named[0]?.seen ?? [], origin)),
    );
    const values = readSignals(late, views, found.values);
    facts[fact] = values;
    if (besides === ACCEPTED_PLACES) facts[besides] = toPlaces(views);
    if (besides === HARDWARE_USE) facts[besides] = readSignals(more, views, { ...values });
  });
  return facts;
}

/**
 * The values of the request with what evidence told of its place, which no hash key changes. What evidence
 * would have told is not known where some of it is lost.
 */
function withPlace(seen: SeenNames, whole: SeenNames, { isLost }: EvidenceOrigin) {
  const own: (number | null | undefined)[] = [];
  for (let kind = 0; kind < seen.length; kind += 1)
    own.push(seen[kind] ?? (isPlace(kind) ? (whole[kind] ?? (isLost ? undefined : null)) : null));
  return own;
}

/** True where the request is certain to lack the part. */
function lacks({ subject, named, origin }: View, part: ActivityPart): boolean {
  if (part === 'visitor' && origin.isLost) return false;
  if (part === 'hardware' && origin.isHardwareLost) return false;
  if (part === 'ip' && subject.ipUnreadable !== undefined) return false;
  return named.every(({ names }) => hashesOf(names, part).length === 0);
}
