import { activityFactName } from '../../domain/activity/activity-facts.ts';
import { ACTIVITY_PARTS, type ActivityPart } from '../../domain/activity/activity-parts.ts';
import { type ActivitySignal, activitySignals } from '../../domain/activity/activity-signals.ts';
import type { ActivityView } from '../../domain/activity/activity-view.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';

/** What a policy reads of the activity of one part. */
export interface PartPlan {
  readonly part: ActivityPart;
  /** The name of its fact. */
  readonly fact: string;
  /** Those that need no evidence. */
  readonly early: readonly ActivitySignal[];
  readonly late: readonly ActivitySignal[];
}

/** What a policy reads of activity: a part that no rule reads is not in it. */
export function toActivityPlan({ facts, document }: CompiledPolicy): readonly PartPlan[] {
  return ACTIVITY_PARTS.flatMap((part) => {
    const fact = activityFactName(part);
    const read = facts.find((each) => each.fact.name === fact);
    if (read === undefined) return [];
    const names = new Set(read.paths.map(([name]) => name));
    const signals = activitySignals(part, document.events).filter(({ name }) => names.has(name));
    // Evidence alone tells the visitor.
    const isLate = (signal: ActivitySignal) => signal.isLate || part === 'visitor';
    const [early, late] = [signals.filter((each) => !isLate(each)), signals.filter(isLate)];
    return [{ part, fact, early, late }];
  });
}

/** What the fact of a part says. */
export type PartValues = Record<string, number | boolean>;

/** Adds the values of these signals, without those that are unknown. */
export function readSignals(
  signals: readonly ActivitySignal[],
  views: readonly ActivityView[],
  values: PartValues,
): PartValues {
  for (const { name, read } of signals) {
    const value = read(views);
    if (value !== undefined) values[name] = value;
  }
  return values;
}
