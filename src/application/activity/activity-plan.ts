import { activityFactName } from '../../domain/activity/activity-facts.ts';
import {
  ACTIVITY_PARTS,
  type ActivityPart,
  isNamedByEvidence,
} from '../../domain/activity/activity-parts.ts';
import { type ActivitySignal, activitySignals } from '../../domain/activity/activity-signals.ts';
import type { ActivityView } from '../../domain/activity/activity-view.ts';
import { HARDWARE_USE } from '../../domain/contradictions/identity-reuse.ts';
import { ACCEPTED_PLACES } from '../../domain/contradictions/travel.ts';
import type { CompiledPolicy } from '../../domain/policy/compile.ts';

/** What a policy reads of the activity of one part. */
export interface PartPlan {
  readonly part: ActivityPart;
  /** The name of its fact. */
  readonly fact: string;
  /** Those that need no evidence. */
  readonly early: readonly ActivitySignal[];
  readonly late: readonly ActivitySignal[];
  /** A fact that no policy reads, told of the part for those that do. */
  readonly besides: string | null;
  /** What `besides` tells of numbers that are not among the late ones. */
  readonly more: readonly ActivitySignal[];
}

/** Facts that no policy reads, told of a part for those that do. */
const BESIDES: Readonly<Partial<Record<ActivityPart, string>>> = {
  account: ACCEPTED_PLACES,
  hardware: HARDWARE_USE,
};

/** What `identity_reuse` compares. */
const HARDWARE_SIGNALS = activitySignals('hardware', []).filter(({ name }) =>
  ['devices_remembered', 'accounts_remembered'].includes(name),
);

/** What a policy reads of activity: a part that no rule reads is not in it. */
export function toActivityPlan({ facts, document, factsAsked }: CompiledPolicy): readonly PartPlan[] {
  return ACTIVITY_PARTS.flatMap((part) => {
    const fact = activityFactName(part);
    const read = facts.find((each) => each.fact.name === fact);
    const besides = factsAsked.includes(BESIDES[part] ?? '') ? (BESIDES[part] ?? null) : null;
    if (read === undefined && besides === null) return [];
    const names = new Set(read?.paths.map(([name]) => name));
    const signals = activitySignals(part, document.events).filter(({ name }) => names.has(name));
    const isLate = (signal: ActivitySignal) => signal.isLate || isNamedByEvidence(part);
    const [early, late] = [signals.filter((each) => !isLate(each)), signals.filter(isLate)];
    const more = besides === HARDWARE_USE ? HARDWARE_SIGNALS.filter(({ name }) => !names.has(name)) : [];
    return [{ part, fact, early, late, besides, more }];
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
