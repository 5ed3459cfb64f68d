import type { SubjectFacts } from '../policy/subject-fact.ts';
import { activityFactName } from './activity-facts.ts';
import { ACTIVITY_PARTS, type ActivityPart } from './activity-parts.ts';
import { activitySignals } from './activity-signals.ts';

/** What the provider that is left out names or tells. */
interface LeftOut {
  readonly provider: string;
  /** It is asked for telemetry ids: it names the visitor, and tells where the request comes from. */
  readonly isOfTelemetry: boolean;
}

/** The provider whose answers name the hardware. */
const NAMES_HARDWARE = 'mobilerun';

/** The signals of each part that compare where the request comes from. */
const OF_PLACE: ReadonlyMap<string, readonly string[]> = new Map(
  ACTIVITY_PARTS.map((part) => {
    const late = activitySignals(part, []).filter(({ isLate }) => isLate);
    return [activityFactName(part), late.map(({ name }) => name)];
  }),
);

/**
 * The activity of a subject, as it would be if this provider had not answered: what its answer names is unknown,
 * and so is what compares the place that it tells. Other facts are as they were.
 */
export function activityWithout({ provider, isOfTelemetry }: LeftOut, facts: SubjectFacts): SubjectFacts {
  const left: Record<string, SubjectFacts[string]> = { ...facts };
  const forget = (part: ActivityPart) => {
    const name = activityFactName(part);
    if (left[name] !== undefined) left[name] = 'unknown';
  };
  if (provider === NAMES_HARDWARE) forget('hardware');
  if (!isOfTelemetry) return left;
  for (const [fact, names] of OF_PLACE) {
    const value = left[fact];
    if (typeof value !== 'object') continue;
    left[fact] = Object.fromEntries(Object.entries(value).filter(([name]) => !names.includes(name)));
  }
  forget('visitor');
  return left;
}
