import { activityFactName } from '../activity/activity-facts.ts';
import { ACTIVITY_PARTS, type ActivityPart } from '../activity/activity-parts.ts';
import { activitySignals } from '../activity/activity-signals.ts';
import type { CompiledPolicy } from '../policy/compile.ts';
import type { SubjectFacts } from '../policy/subject-fact.ts';

/** Signals of a part by name; `lost` is one that is unknown. The part itself may be unknown, or absent. */
export type GivenPart = 'none' | 'unknown' | Readonly<Record<string, number | boolean | 'lost'>>;

/** Activity of a subject whose first request this is, but for what is given. Throws for a signal that no part has. */
export function seenActivity(
  { document }: Pick<CompiledPolicy, 'document'>,
  given: Readonly<Partial<Record<ActivityPart, GivenPart>>> | 'unknown' = {},
): SubjectFacts {
  const facts = ACTIVITY_PARTS.map((part) => {
    const own = given === 'unknown' ? given : (given[part] ?? {});
    return [
      activityFactName(part),
      typeof own === 'string' ? own : toSignals(part, own, document.events),
    ] as const;
  });
  return Object.fromEntries(facts);
}

function toSignals(part: ActivityPart, own: Exclude<GivenPart, string>, events: readonly string[]) {
  const signals = activitySignals(part, events);
  const names = new Set(signals.map(({ name }) => name));
  for (const name of Object.keys(own)) if (!names.has(name)) throw new Error(`no activity.${part}.${name}`);
  const values: Record<string, number | boolean> = {};
  for (const { name, kind, most } of signals) {
    const first = kind === 'bool' ? false : most === null ? 0 : 1;
    const value = own[name] ?? first;
    if (value !== 'lost') values[name] = value;
  }
  return values;
}
