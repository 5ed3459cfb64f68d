import type { ChallengeDemand, Reason } from '../reason.ts';
import type { StepUpDemand } from './step-up-demand.ts';

/**
 * What satisfies every CHALLENGE of these reasons. No age does where a rule among them takes no step-up, or
 * where there are none: then the policy itself challenges.
 */
export function toChallenge(
  stepUps: ReadonlyMap<string, StepUpDemand>,
  reasons: readonly Reason[],
): ChallengeDemand {
  const demands = reasons.filter(isOpen).map(({ rule }) => stepUps.get(rule));
  const isUnmet = demands.length === 0 || demands.includes(undefined);
  const known = demands.filter((demand) => demand !== undefined);
  const ages = known.map(({ maxAgeSeconds }) => maxAgeSeconds);
  // The policy has one order of them, so that the shortest list is within all others.
  const lists = known.flatMap(({ acrValues }) => (acrValues === null ? [] : [acrValues]));
  const [shortest = []] = lists.sort((left, right) => left.length - right.length);
  return Object.freeze({ acr_values: shortest, max_age_seconds: isUnmet ? null : Math.min(...ages) });
}

/** True for a CHALLENGE that no step-up satisfies. */
export function isOpen({ verdict, satisfied }: Reason): boolean {
  return verdict === 'CHALLENGE' && satisfied !== true;
}
