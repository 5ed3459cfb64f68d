import { activityFactName } from '../../domain/activity/activity-facts.ts';
import { measureNumber } from '../../domain/activity/activity-measures.ts';
import { ACTIVITY_PARTS } from '../../domain/activity/activity-parts.ts';
import type { SeenNames } from '../../domain/activity/activity-state.ts';
import { HARDWARE_USE } from '../../domain/contradictions/identity-reuse.ts';
import { ACCEPTED_PLACES } from '../../domain/contradictions/travel.ts';
import type { Decision } from '../../domain/decision.ts';
import { hasText, type Subject } from '../../domain/subject.ts';
import type { SubjectPlace } from '../../domain/subject-place.ts';
import type { ProviderSlot } from '../evidence/gather-evidence.ts';
import type { FactSource } from '../facts/fact-source.ts';
import type { ActivityChange } from './activity-store.ts';
import { type ActivityDependencies, createAskActivity } from './ask-activity.ts';
import { readDecidedOrigin } from './read-evidence.ts';
import {
  createNameSubject,
  type SubjectNames,
  toEntities,
  toSeenNames,
  withEvidence,
  withSeenPlace,
} from './subject-names.ts';

/** What was lately seen of the parts of subjects. */
export interface Activity {
  /** Tells it as facts. What the request itself brings is added in the same step. */
  readonly facts: FactSource;
  /** Counts a decision that was answered, and notes all that it was made with. Does not wait. */
  remember(decision: Decision, subject: Subject): void;
}

/** Builds the use case. */
export function createActivity(
  dependencies: ActivityDependencies & {
    readonly slots: readonly ProviderSlot[];
  },
): Activity {
  const { slots, store, hashes } = dependencies;
  const nameSubject = createNameSubject(hashes);
  return {
    facts: {
      names: [...ACTIVITY_PARTS.map(activityFactName), ACCEPTED_PLACES, HARDWARE_USE],
      ask: createAskActivity(dependencies, nameSubject),
    },
    remember: (decision, subject) => {
      const origin = readDecidedOrigin(decision, slots);
      const measures = measuresOf(decision, slots, subject);
      const acceptance = decision.verdict === 'ALLOW' ? 'accepted' : null;
      for (const named of nameSubject(subject)) {
        const { keyPlace } = named;
        const names = withEvidence(named.names, origin, keyPlace, hashes[keyPlace]?.keyId ?? '');
        store.add(toChanges(names, origin, { acceptance, measures }, named.seen));
      }
    },
  };
}

/**
 * The same change of every part that is named. Where the request was is kept of it only where that is accepted,
 * or taken back: whoever is refused must not push out where the account's owner was.
 */
export function toChanges(
  names: SubjectNames,
  { country, asn, coordinates = null }: SubjectPlace,
  { acceptance, measures, atSeconds }: Omit<ActivityChange, 'entity' | 'values'>,
  seen: SeenNames = toSeenNames(names),
): readonly ActivityChange[] {
  const kept = acceptance === null ? null : coordinates;
  const values = withSeenPlace(seen, { country, asn, coordinates: kept });
  return toEntities(names).map((entity) => ({ entity, values, acceptance, measures, atSeconds }));
}

const DECISIONS = measureNumber('decisions');
const NOT_FOUND = measureNumber('not_found');
const VERDICT_MEASURES = {
  ALLOW: [DECISIONS],
  CHALLENGE: [DECISIONS, measureNumber('challenges')],
  BLOCK: [DECISIONS, measureNumber('blocks')],
} as const;

function measuresOf(
  { verdict, evidence }: Decision,
  slots: readonly ProviderSlot[],
  { telemetryId }: Subject,
): readonly number[] {
  const measures = VERDICT_MEASURES[verdict];
  // A missing id is not found either, but nobody looked for it.
  if (!hasText(telemetryId)) return measures;
  const isNotFound = ({ subject, source }: ProviderSlot, place: number): boolean =>
    subject === 'telemetry_id' && evidence[place]?.outcome === 'not_found' && source?.isSuspect() === false;
  return slots.some(isNotFound) ? [...measures, NOT_FOUND] : measures;
}
