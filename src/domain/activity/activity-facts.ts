import type { SubjectFact } from '../policy/subject-fact.ts';
import { ACTIVITY_PARTS, type ActivityPart } from './activity-parts.ts';
import { activitySignals } from './activity-signals.ts';
import { readOwnEvents } from './own-events.ts';

/** The name of the fact about this part: `activity.account`. */
export function activityFactName(part: ActivityPart): string {
  return `activity.${part}`;
}

const WHY_NONE: Readonly<Record<ActivityPart, string>> = {
  account: 'no account',
  device: 'no device id',
  ip: 'no IP address',
  visitor: 'no visitor fingerprint',
  hardware: 'no hardware identifiers',
};

/** The activity of each part of the subject, as the variable `activity`. */
export const ACTIVITY_FACTS: readonly SubjectFact[] = ACTIVITY_PARTS.map(toFact);

function toFact(part: ActivityPart): SubjectFact {
  const most = new Map(activitySignals(part, []).map((signal) => [signal.name, signal.most]));
  const name = activityFactName(part);
  return {
    name,
    typeOf: (document) => ({
      kind: 'object',
      fields: new Map(
        activitySignals(part, readOwnEvents(document)).map(
          (signal) => [signal.name, { kind: signal.kind }] as const,
        ),
      ),
    }),
    whole: [],
    mostOf: ([field = '']) => most.get(field) ?? null,
    whyAbsent: { none: WHY_NONE[part], unknown: `${name} unknown` },
  };
}
