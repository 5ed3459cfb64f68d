import type { ChallengeDemand, Reason } from '../reason.ts';
import type { CompiledPolicy } from './compile.ts';
import type { StepUpDemand } from './step-up-demand.ts';

type Demanding = Pick<CompiledPolicy, 'stepUps' | 'document'>;

/**
 * What satisfies every CHALLENGE of these reasons. No age does where one among them is satisfied by nothing, or
 * where there are none: then the policy itself challenges.
 */
export function toChallenge(policy: Demanding, reasons: readonly Reason[]): ChallengeDemand {
  const demands = reasons.filter(isOpen).map((reason) => demandOf(policy, reason));
  const isUnmet = demands.length === 0 || demands.includes(undefined);
  const known = demands.filter((demand) => demand !== undefined);
  const ages = known.map(({ maxAgeSeconds }) => maxAgeSeconds);
  // The policy has one order of them, so that the shortest list is within all others.
  const lists = known.flatMap(({ acrValues }) => (acrValues === null ? [] : [acrValues]));
  const [shortest = []] = lists.sort((left, right) => left.length - right.length);
  return Object.freeze({ acr_values: shortest, max_age_seconds: isUnmet ? null : Math.min(...ages) });
}

/**
 * What satisfies the CHALLENGE of a reason; undefined where nothing does. An unknown rule is satisfied only
 * where `otherwise` is ALLOW: with its evidence the answer may have been a stricter one of the policy's own.
 */
export function demandOf({ stepUps, document }: Demanding, reason: Reason): StepUpDemand | undefined {
  if (reason.verdict !== 'CHALLENGE' || !(reason.certain || document.otherwise === 'ALLOW')) return undefined;
  return stepUps.get(reason.rule);
}

/** True for a CHALLENGE that no step-up satisfies. */
export function isOpen({ verdict, satisfied }: Reason): boolean {
  return verdict === 'CHALLENGE' && satisfied !== true;
}
