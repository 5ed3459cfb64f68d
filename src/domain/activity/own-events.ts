import { z } from 'zod';
import {
  COMMON_EVENTS,
  DECISION_MEASURES,
  LABEL_MEASURES,
  measureNumber,
  WITHDRAWN_MEASURES,
} from './activity-measures.ts';
import { SEEN_KINDS } from './activity-parts.ts';

/** Each costs six signals for each part. */
const OWN_EVENTS_MAX = 32;

const TAKEN: ReadonlySet<string> = new Set([
  ...COMMON_EVENTS,
  ...DECISION_MEASURES,
  ...LABEL_MEASURES,
  ...Object.values(WITHDRAWN_MEASURES),
  ...SEEN_KINDS,
]);

const eventName = z
  .string()
  .regex(
    /^[a-z][a-z0-9_]{0,39}$/,
    'must be lower case letters, digits and underscores, at most 40, and begin with a letter',
  )
  .refine((name) => !TAKEN.has(name), { message: 'is a name that every policy knows' });

/** The events with names of the operator's own, in a policy file. */
export const ownEventsSchema = z
  .array(eventName)
  .max(OWN_EVENTS_MAX)
  .superRefine((names, context) => {
    names.forEach((name, place) => {
      const twin = names.findIndex((other) => measureNumber(other) === measureNumber(name));
      if (twin === place) return;
      const message =
        names[twin] === name
          ? 'is named twice'
          : `cannot stand beside "${names[twin]}": one of them needs another name`;
      context.addIssue({ code: 'custom', path: [place], message });
    });
  });

/** The events of its own in a document of any shape: those whose names are right. */
export function readOwnEvents(document: unknown): readonly string[] {
  const events: unknown = Reflect.get(Object(document), 'events');
  if (!Array.isArray(events)) return [];
  return events.flatMap((name: unknown) => eventName.safeParse(name).data ?? []);
}
