import { COMMON_EVENTS, measureNumber } from '../../domain/activity/activity-measures.ts';
import { type FieldError, RiskgateError } from '../../domain/errors.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';
import type { Subject } from '../../domain/subject.ts';
import { toChanges } from './activity.ts';
import type { ActivityChange, ActivityStore, Claim } from './activity-store.ts';
import type { Claims } from './claims.ts';
import { type ActivityHashes, toEntities, toSubjectNames } from './subject-names.ts';

/** Something that happened outside decisions. */
interface ToldEvent {
  /** The caller's own id of it: the same id again is the same event. */
  readonly id: string;
  readonly event: string;
  readonly subject: Subject;
}

interface ReportEventsOptions {
  readonly store: ActivityStore;
  /** Under each hash key that activity is kept under. */
  readonly hashes: readonly [ActivityHashes, ...ActivityHashes[]];
  /** The policy in force, which names the events of its own. */
  readonly policy: () => CompiledPolicy;
  readonly claims: Claims;
}

/** How many events were counted now, and how many had been before. */
interface ReportedEvents {
  readonly counted: number;
  readonly repeated: number;
}

/**
 * Counts events, each once a day for each caller. Rejects with `invalid_request` for one that no policy knows
 * or that names nobody, and with `store_unavailable` where not all of them are counted; all of them may be told
 * again then.
 */
export type ReportEvents = (events: readonly ToldEvent[], caller: string) => Promise<ReportedEvents>;

const NO_PLACE = { country: null, asn: null };
/** It says that the account's owner came with these values. */
const ACCEPTING = 'login_succeeded';

/** Builds the use case. */
export function createReportEvents(options: ReportEventsOptions): ReportEvents {
  const { store, claims } = options;
  return async (events, caller) => {
    const mistakes = events.flatMap((event, place) => findMistakes(event, place, options));
    if (mistakes.length > 0)
      throw new RiskgateError('invalid_request', 'Events that cannot be counted.', { fields: mistakes });
    const names = events.map(({ id }) => JSON.stringify([caller, id]));
    const claimed = await claims.claim(names);
    if (claimed === null) throw unavailable();
    const isNew = (_: unknown, place: number): boolean => claimed[place] === 'new';
    const changes = events.filter(isNew).flatMap((event) => toEventChanges(event, options));
    const own = names.filter(isNew);
    const isCounted = await store.addNow(changes);
    await (isCounted ? claims.settle(own) : claims.unclaim(own));
    // Whoever counts an open one now may fail to.
    if (!isCounted || isAnyOpen(claimed, names)) throw unavailable();
    return { counted: own.length, repeated: events.length - own.length };
  };
}

/** Whether another call is counting one of these now; a name that stands twice in this call is its own. */
function isAnyOpen(claimed: readonly Claim[], names: readonly string[]): boolean {
  const own = new Set(names.filter((_, place) => claimed[place] === 'new'));
  return names.some((name, place) => claimed[place] === 'open' && !own.has(name));
}

function findMistakes(
  { event, subject }: ToldEvent,
  place: number,
  { policy, hashes }: ReportEventsOptions,
): FieldError[] {
  const mistakes: FieldError[] = [];
  const known: readonly string[] = [...COMMON_EVENTS, ...policy().document.events];
  if (!known.includes(event)) {
    const detail = `must be one of ${known.join(', ')}; a policy names others under \`events\``;
    mistakes.push({ pointer: `/events/${place}/event`, detail });
  }
  if (toEntities(toSubjectNames(subject, hashes[0])).length === 0)
    mistakes.push({ pointer: `/events/${place}`, detail: 'must have an account_id, a device id or an ip' });
  return mistakes;
}

function toEventChanges(
  { event, subject }: ToldEvent,
  { hashes }: ReportEventsOptions,
): readonly ActivityChange[] {
  const acceptance = event === ACCEPTING ? 'accepted' : null;
  const change = { acceptance, measures: [measureNumber(event)] } as const;
  return hashes.flatMap((under) => toChanges(toSubjectNames(subject, under), NO_PLACE, change));
}

function unavailable(): RiskgateError {
  return new RiskgateError('store_unavailable', 'Activity cannot be kept now.');
}
